// The site's configuration, put here by the server: key, numbers, domains, whether it asks for consent.

export const site = __CONFIG__;

/** Where the visit API is: beside the script, so that a site may serve both from its own address. */
export const api = new URL("../api/v1/visits", document.currentScript.src);

/** Inside another page: what the page around has is used, nothing is asked for. */
export const framed = self != top;
