// A shop in React: routes by history.pushState, a number in props and state, lists that grow, a number that
// is rendered anew every second. window.shop lets a test drive it.
import { memo, useEffect, useState } from "react";

const NUMBER = "8 (495) 765-43-21";
const TITLES = { "/": "Wooden pallets", "/euro": "Euro pallets", "/contact": "Contact" };

function Phone({ id }) {
  return <a id={id} className="phone" href="tel:+74957654321">{NUMBER}</a>;
}

const Still = memo(Phone);

/** The number in a text of its own, which React leaves alone; and in one that it writes anew at every tick. */
function Ticking() {
  const [ticks, setTicks] = useState(0);
  useEffect(() => {
    window.shop.tick = () => setTicks((count) => count + 1);
  }, []);
  return <><p id="apart">{ticks} calls today: {NUMBER}</p><p id="joined">{`${NUMBER} (${ticks} calls today)`}</p></>;
}

function Branches() {
  const [count, setCount] = useState(1);
  useEffect(() => {
    window.shop.more = (extra) => setCount((before) => before + extra);
  }, []);
  return <ul id="branches">{Array.from({ length: count }, (_, index) => <li key={index}>Branch {index}: {NUMBER}</li>)}</ul>;
}

function Order() {
  const [phone, setPhone] = useState(NUMBER);
  return <form id="order" action="/order"><input id="mine" value={phone} onChange={(event) => setPhone(event.target.value)} /></form>;
}

const PAGES = {
  "/": () => <><h1>Wooden pallets</h1><Ticking /><Branches /></>,
  "/euro": () => <><h1>Euro pallets</h1><p id="text">Order by phone: <b>{NUMBER}</b></p></>,
  "/contact": () => <><h1>Contact</h1><Phone id="contact" /><Order /></>,
};

export function Shop({ path: opened }) {
  const [path, setPath] = useState(opened);
  useEffect(() => {
    window.shop.go = (to) => {
      window.history.pushState({}, "", to);
      setPath(window.location.pathname);
    };
    const back = () => setPath(window.location.pathname);
    window.addEventListener("popstate", back);
    return () => window.removeEventListener("popstate", back);
  }, []);
  useEffect(() => {
    document.title = TITLES[path];
  }, [path]);
  const Page = PAGES[path];
  return <><header><Still id="header" /></header><main><Page /></main></>;
}
