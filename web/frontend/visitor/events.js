// What the page is told: its own script by callbacks, a tag manager by entries in the data layer.

export const layer = (self.dataLayer ||= []);
const listeners = [];

/** Calls those who wait for this; with a name, tells the data layer as well. */
export const emit = (kind, number, name) => {
  for (const [wanted, callback] of listeners) if (wanted == kind) setTimeout(callback, 0, number); // their mistakes are not ours
  if (name) layer.push({ event: "leaseline_" + name, leaseline: number });
};

export const on = (...listener) => listeners.push(listener);
