// The one way to the browser's storage. It stays shut until somebody agreed: then nothing can be written from anywhere.

const PREFIX = 'cegla';

let open = false;

/** Allow or forbid writing. */
export function allowStorage(allowed) {
  open = allowed;
}

export const storageAllowed = () => open;

/** What lies under a name; null when there is nothing, nothing readable, or storage is shut. */
export const load = (name) => (open ? peek(name) : null);

/** The same while storage is shut: only to learn whether somebody agreed before. */
export function peek(name) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name));
  } catch {
    return null;
  }
}

/** Whether the value was kept. */
export function save(name, value) {
  if (!open) return false;
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

export function remove(name) {
  try {
    localStorage.removeItem(PREFIX + name);
  } catch { /* there is no storage, so nothing lies in it */ }
}

/** The names that begin with some text. */
export function stored(start) {
  if (!open) return [];
  try {
    return Object.keys(localStorage).filter((name) => name.startsWith(PREFIX + start)).map((name) => name.slice(PREFIX.length));
  } catch {
    return [];
  }
}

/** Hear when another tab changes what lies under a name. */
export function onForeignChange(name, hear) {
  addEventListener('storage', (event) => {
    if (event.key === PREFIX + name || event.key === null) hear(peek(name));
  });
}
