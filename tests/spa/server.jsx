// The shop's first page as a server renders it.
import { renderToString } from "react-dom/server";
import { Shop } from "./shop.jsx";

process.stdout.write(renderToString(<Shop path="/" />));
