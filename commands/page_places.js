// Every place of a document where a telephone number might stand, however it got there. Changes nothing.
// Runs in each frame; knows nothing of Leaseline's script, so that it can judge it.
({ digits, aliases, also }) => {
  const PHONE = /\d(?:[^\p{L}\d\n]{0,4}\d){6,}/u;
  const LEFT = [
    ["no-swap", "[data-leaseline-noswap],[data-calltrk-noswap]"],
    ["json-ld", "script[type='application/ld+json' i]"],
    ["head", "head,meta,link"],
    ["code", "code,object,canvas"],
    ["input", "input,textarea,select,option"],
    ["editable", "[contenteditable]:not([contenteditable='false'])"],
  ];
  const SILENT = "style,noscript,template,script:not([type='application/ld+json' i])"; // nobody reads them
  const found = [];
  const kept = new Map(also.map((place) => [place, null]));

  const holds = (text) => {
    const plain = text.replace(/\D/g, ""), small = text.toLowerCase();
    return digits.some((each) => plain.includes(each)) || aliases.some((each) => small.includes(each));
  };
  const above = (element) => element.parentElement ?? element.getRootNode().host;
  const step = (element) => {
    const same = [...(element.parentNode?.children ?? [])].filter((each) => each.tagName === element.tagName);
    return `${element.tagName.toLowerCase()}:${same.indexOf(element)}`;
  };
  const path = (element) => {
    const steps = [];
    for (let each = element; each; each = above(each)) steps.unshift(step(each));
    return steps.join("/");
  };
  const name = (element) => {
    const tag = element.tagName.toLowerCase();
    if (element.id) return `${tag}#${element.id}`;
    return tag + (element.classList[0] ? `.${element.classList[0]}` : "");
  };
  const where = (element) => {
    const names = [];
    for (let each = element; each && names.length < 3; each = above(each)) names.unshift(name(each));
    return names.join(" > ");
  };
  const context = (element) => {
    for (let each = element; each; each = above(each))
      for (const [word, selector] of LEFT) if (each.matches(selector)) return word;
    return element.getRootNode() instanceof ShadowRoot ? "shadow" : "";
  };
  const add = (element, kind, attribute, text) => {
    const place = `${kind} ${attribute} ${path(element)}`;
    if (found.length < 3000)
      found.push({ place, kind, attribute, where: where(element), context: context(element), text: text.slice(0, 600) });
    kept.delete(place);
  };

  const texts = (element) => [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
  const looksLike = (text) => PHONE.test(text) || holds(text);
  const isSplit = (element) =>
    element.childElementCount > 0 &&
    element.textContent.trim().length <= 60 &&
    holds(element.textContent) &&
    ![...element.children].some((child) => holds(child.textContent)) &&
    !texts(element).some((node) => holds(node.data));

  const attributes = (element) => {
    for (const { name, value } of element.attributes) {
      if (name.startsWith("data-leaseline-") || name === "value" || name === "srcdoc") continue;
      if (element.tagName === "A" && name === "href" && /^(tel|callto):/i.test(value)) add(element, "link", name, value);
      else if (holds(value)) add(element, element.tagName === "IMG" ? "image" : "attribute", name, value);
    }
    if (typeof element.value === "string" && looksLike(element.value)) add(element, "value", "", element.value);
  };
  const painted = (element) => {
    for (const pseudo of ["::before", "::after"]) {
      const content = getComputedStyle(element, pseudo).content;
      if (content.length > 6 && looksLike(content)) add(element, "css", pseudo, content);
    }
  };
  const visit = (root) => {
    for (const element of root.querySelectorAll("*")) {
      if (element.matches(SILENT)) continue;
      attributes(element);
      painted(element);
      texts(element).forEach((node, index) => {
        if (looksLike(node.data)) add(element, "text", String(index), node.data.trim());
      });
      if (isSplit(element)) add(element, "split", "", element.textContent.trim());
      if (element.shadowRoot) visit(element.shadowRoot);
    }
  };
  visit(document);

  // Places of the first look that are not as they were: what stands there now.
  if (kept.size)
    for (const element of document.querySelectorAll("*")) {
      const end = ` ${path(element)}`;
      for (const place of kept.keys())
        if (place.endsWith(end)) {
          const [kind, attribute] = place.split(" ");
          const now = kind === "text" ? (texts(element)[attribute]?.data ?? "") : kind === "split" ? element.textContent : "";
          add(element, kind, attribute, now.trim());
        }
    }
  return found;
}
