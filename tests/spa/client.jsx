// The shop in a browser: takes up what the server has rendered, or begins with nothing.
import { createRoot, hydrateRoot } from "react-dom/client";
import { Shop } from "./shop.jsx";

window.shop = {};
const root = document.getElementById("root");
const shop = <Shop path={window.location.pathname} />;
if (root.hasChildNodes()) hydrateRoot(root, shop);
else createRoot(root).render(shop);
