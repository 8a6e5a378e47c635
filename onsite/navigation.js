// Pages that change without loading: history.pushState, replaceState and the back button.

const SETTLE_MILLISECONDS = 60; // frameworks set the title a moment after the address

/** Call back when the path, the query or a route in the fragment changes; `before` at once, `after` when the new page stands. */
export function watchNavigation(before, after) {
  let shown = placeNow();
  let timer = 0;
  const check = () => {
    const place = placeNow();
    if (place === shown) return;
    if (!timer) before();
    shown = place;
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = 0;
      after();
    }, SETTLE_MILLISECONDS);
  };
  for (const name of ['pushState', 'replaceState']) {
    const honest = history[name];
    history[name] = function (...given) {
      const result = honest.apply(this, given);
      check();
      return result;
    };
  }
  addEventListener('popstate', check);
  addEventListener('hashchange', check);
}

const placeNow = () => location.pathname + location.search + (/^#!?\//.test(location.hash) ? location.hash : '');
