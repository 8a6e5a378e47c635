// How long a page was really looked at (visible and in focus) and how far it was scrolled.

let seconds = 0;
let since = 0;
let deepest = 0;

const isRead = () => document.visibilityState === 'visible' && document.hasFocus();

function tick() {
  if (since) seconds += (performance.now() - since) / 1000;
  since = isRead() ? performance.now() : 0;
}

function look() {
  const height = document.documentElement.scrollHeight;
  deepest = Math.max(deepest, height ? Math.min(1, (window.scrollY + window.innerHeight) / height) : 0);
}

export function watchReading() {
  for (const name of ['focus', 'blur', 'visibilitychange']) addEventListener(name, tick, true);
  addEventListener('scroll', look, { passive: true, capture: true });
  startReading();
}

/** A new page begins. */
export function startReading() {
  seconds = deepest = 0;
  since = isRead() ? performance.now() : 0;
  look();
}

/** What was read since the last time this was asked; null when that is less than a second. The depth is of the whole page. */
export function readSoFar() {
  tick();
  look();
  if (seconds < 1) return null;
  const read = { seconds: Math.round(seconds), scroll_depth: Math.round(deepest * 100) };
  seconds = 0;
  return read;
}
