// The callback button on a website: a form in a shadow root, so that the page's styles and ours never meet. Served
// after the script that swaps numbers, for sites that call back. Styles are constructed, never written into the
// page: a strict Content-Security-Policy needs no exception for them.

const face = __CALLBACK__; // language, texts by language, looks; the site's key
const at = new URL("../api/v1/callbacks/", document.currentScript.src);

const language = () => {
  const wanted = (document.documentElement.lang || face.language).toLowerCase().split("-")[0];
  return face.texts[wanted] ? wanted : face.language;
};

const CSS = `
:host { all: initial; position: fixed; z-index: 2147483000; bottom: 20px; right: 20px; font: 16px/1.4 system-ui, sans-serif; }
:host([data-position="bottom-left"]) { right: auto; left: 20px; }
* { box-sizing: border-box; font: inherit; }
[hidden] { display: none !important; }
button { cursor: pointer; border: 0; border-radius: 999px; padding: 12px 20px; background: var(--ground); color: var(--text); font-weight: 600; min-height: 44px; }
button:focus-visible, input:focus-visible, select:focus-visible { outline: 3px solid #151922; outline-offset: 2px; box-shadow: 0 0 0 2px #fff; }
.open { box-shadow: 0 4px 16px rgb(0 0 0 / 25%); }
form { width: min(320px, calc(100vw - 40px)); padding: 20px; border-radius: 14px; background: #fff; color: #151922; box-shadow: 0 8px 40px rgb(0 0 0 / 25%); }
h2 { margin: 0 32px 6px 0; font-size: 18px; font-weight: 700; }
p { margin: 0 0 12px; }
label { display: block; margin: 0 0 12px; font-size: 14px; }
input, select { display: block; width: 100%; margin-top: 4px; padding: 10px 12px; border: 1px solid #6b7382; border-radius: 8px; background: #fff; color: #151922; font-size: 16px; min-height: 44px; }
.send { width: 100%; }
.close { position: absolute; top: 8px; right: 8px; width: 44px; padding: 0; background: none; color: #151922; font-size: 22px; }
.trap { position: absolute; left: -9999px; }
.said { margin: 12px 0 0; font-weight: 600; }
.said.bad { color: #a3150e; }
`;

const make = (name, attributes, ...inside) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...inside);
  return element;
};

const token = () => Array.from(crypto.getRandomValues(new Uint8Array(12)), (each) => each.toString(16).padStart(2, "0")).join("");

/** The visit that the other script holds: the wish gets its whole path. */
const visit = () => {
  try {
    return JSON.parse(localStorage._ll).visit;
  } catch {
    return null;
  }
};

const build = () => {
  const spoken = language();
  const say = face.texts[spoken];
  const host = make("div", { "data-leaseline-callback": "", "data-leaseline-noswap": "", "data-position": face.looks.position, lang: spoken });
  host.style.setProperty("--ground", face.looks.color);
  host.style.setProperty("--text", face.looks.text);
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(CSS);
  root.adoptedStyleSheets = [sheet];

  const phone = make("input", { name: "phone", type: "tel", autocomplete: "tel", required: "", maxlength: "40", inputmode: "tel" });
  const name = make("input", { name: "name", autocomplete: "name", maxlength: "100" });
  const when = make("select", { name: "at" });
  const trap = make("input", { name: "website", tabindex: "-1", autocomplete: "off", "aria-hidden": "true", class: "trap" });
  const intro = make("p", {}, say.intro);
  const said = make("p", { class: "said", role: "status" });
  const send = make("button", { class: "send" }, say.send);
  const close = make("button", { class: "close", type: "button", "aria-label": say.close }, "×");
  const title = make("h2", { id: "title" }, say.title);
  const whenLabel = make("label", {}, say.when, when);
  const fields = make("div", {}, make("label", {}, say.phone, phone), make("label", {}, say.name, name), whenLabel, trap, send);
  const form = make("form", {}, close, title, intro, fields, said);
  const panel = make("div", { role: "dialog", "aria-labelledby": "title", hidden: "" }, form);
  const open = make("button", { class: "open", type: "button", "aria-haspopup": "dialog", "aria-expanded": "false" }, say.button);
  root.append(panel, open);

  let click; // sent again by an impatient visitor, or by the network, it is the same wish

  const show = (on) => {
    panel.hidden = !on;
    open.hidden = on;
    open.setAttribute("aria-expanded", on);
    if (on) {
      click = token();
      fields.hidden = false;
      said.textContent = "";
      phone.focus();
      offer();
    } else open.focus();
  };

  /** Whether somebody is there now, and the times that may be chosen. */
  const offer = async () => {
    try {
      const found = await (await fetch(at + "offer?site=" + face.key)).json();
      const region = navigator.languages.find((each) => each.split("-")[0] === spoken) || spoken; // 14:00, or 2 PM
      const told = new Intl.DateTimeFormat(region, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", timeZone: found.zone });
      const option = (value, text) => make("option", { value }, text);
      when.replaceChildren(...(found.open ? [option("", say.now)] : []), ...found.times.map((each) => option(each, told.format(new Date(each)))));
      whenLabel.hidden = !found.times.length;
      intro.textContent = found.open ? say.intro : say.closed;
    } catch {
      whenLabel.hidden = true; // asked for now; the server decides
    }
  };

  const answered = (text, bad) => {
    said.textContent = text;
    said.classList.toggle("bad", !!bad);
    send.disabled = false;
    send.textContent = say.send;
  };

  const ask = async () => {
    send.disabled = true;
    send.textContent = say.sending;
    const wish = { site: face.key, visit: visit(), token: click, phone: phone.value, name: name.value, at: when.value || null, website: trap.value, url: location.href, referrer: document.referrer, language: spoken };
    try {
      const response = await fetch(at + "ask", { method: "POST", body: JSON.stringify(wish) });
      const body = await response.json();
      if (response.ok) {
        fields.hidden = true;
        answered(body.callback.at ? say.done_later : say.done_now);
        emit(body.callback);
      } else {
        const reason = body.error.id.split(".")[1];
        const number = ["malformed", "short", "country", "premium", "own"].includes(reason);
        answered(number ? say.bad_number : /limit|cap/.test(reason) ? say.bad_limit : say.bad_other, true);
        if (number) phone.focus();
      }
    } catch {
      answered(say.bad_other, true);
    }
  };

  const emit = (callback) => {
    document.dispatchEvent(new CustomEvent("leaseline:callback", { detail: callback }));
    (self.dataLayer ||= []).push({ event: "leaseline_callback" });
  };

  open.addEventListener("click", () => show(true));
  close.addEventListener("click", () => show(false));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!send.disabled) ask();
  });
  root.addEventListener("keydown", (event) => {
    if (event.key == "Escape" && !panel.hidden) show(false);
  });
  document.body.append(host);
  self.LeaselineCallback = { open: () => show(true) };
};

if (self == top && !self.LeaselineCallback) {
  if (document.body) build();
  else addEventListener("DOMContentLoaded", build);
}
