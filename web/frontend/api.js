// The API's page: what only reads is tried with the session of whoever looks.
const longest = 20_000; // characters of an answer that are shown

for (const form of document.querySelectorAll("form.try")) {
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(form);
  });
}
open(location.hash);
addEventListener("hashchange", () => open(location.hash));

/** Unfolds the operation that the address names. */
function open(hash) {
  const found = document.getElementById(decodeURIComponent(hash.slice(1)));
  if (found?.matches("details")) found.open = true;
}

async function ask(form) {
  const told = form.querySelector("output");
  let path = form.dataset.path;
  const words = new URLSearchParams();
  for (const field of form.querySelectorAll("input")) {
    if ("place" in field.dataset) path = path.replace(`{${field.name}}`, encodeURIComponent(field.value.trim()));
    else if (field.value.trim()) words.append(field.name, field.value.trim());
  }
  const address = words.size ? `${path}?${words}` : path;
  told.replaceChildren(line(address));
  const begun = performance.now();
  try {
    const answer = await fetch(address, { headers: { Accept: "application/json" } });
    const kind = answer.headers.get("Content-Type") ?? "";
    const text = kind.includes("json") ? JSON.stringify(await answer.json(), null, 2) : kind;
    const took = `${answer.status} · ${Math.round(performance.now() - begun)} ms`;
    told.replaceChildren(line(`${address} · ${took}`), body(text));
  } catch (error) {
    told.replaceChildren(line(`${address} · ${error.message}`));
  }
}

function line(text) {
  const it = document.createElement("p");
  it.textContent = text;
  return it;
}

function body(text) {
  const it = document.createElement("pre");
  it.tabIndex = 0;
  it.textContent = text.length > longest ? `${text.slice(0, longest)}\n…` : text;
  return it;
}
