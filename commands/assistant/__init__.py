"""What an assistant on the owner's own machine may ask: `leaseline mcp` (Model Context Protocol).

It only reads. A tool is a function that takes the desk and typed words and returns a typed answer; its
docstring is what the assistant is told of it. Each answers by the same service and in the same words as a
command with `--json`, so the two cannot disagree.
"""
