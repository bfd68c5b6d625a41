// What is remembered between pages: the visitor in a cookie, the visit and its numbers in local storage.

/** Keeps an answer, and its visitor for 400 days; where it names none, forgets both. */
export const keep = (answer) => {
  try {
    // The cookie goes on the widest domain that takes it. With age 0 none does, and each loses what it had.
    const cookie = "_ll=" + answer.visitor;
    location.hostname.split(".").some((_, index, labels) => {
      const domain = labels.slice(~index).join(".");
      const age = answer.visitor ? 34560000 : 0;
      document.cookie = cookie + ";domain=" + domain + ";path=/;max-age=" + age + ";samesite=lax;secure";
      return document.cookie.includes(cookie);
    });
    if (answer.visitor) localStorage._ll = JSON.stringify(answer);
    else delete localStorage._ll;
  } catch {}
};
