// Who this is and what they agreed to. In memory always; in storage only after consent, under one name that all tabs share.

import { options } from './options.js';
import { allowStorage, load, remove, save, stored } from './storage.js';

/** anonymousId and userId; categories (null: nobody was asked yet) and their proof; whether the browser sends Global Privacy Control. */
export const state = { anonymousId: '', userId: '', categories: null, proof: {}, gpc: navigator.globalPrivacyControl === true };

/** A random id of version 4; also where the page is not secure and randomUUID is missing. */
export function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  return [...bytes].map((byte, place) => (/^(4|6|8|10)$/.test(place) ? '-' : '') + (byte + 256).toString(16).slice(1)).join('');
}

export const agreed = () => !!state.categories && state.categories.analytics === true;
export const refused = () => !!state.categories && state.categories.analytics === false;
export const isCookieless = () => options.mode === 'cookieless';

/** What may be done now: 'full', 'cookieless' (an id of this page load only), 'count' (no id at all) or 'nothing'. */
export function level() {
  if (agreed()) return isCookieless() ? 'cookieless' : 'full';
  if (refused()) return 'nothing';
  if (isCookieless()) return 'cookieless';
  return options.before === 'aggregate' ? 'count' : 'nothing';
}

/** What the visitor said, as every event carries it. Global Privacy Control is an objection to profiling, whatever a form says. */
export function consentObject() {
  if (!state.categories) return undefined;
  const categoryPreferences = state.gpc ? { ...state.categories, profiling: false } : state.categories;
  return { categoryPreferences, ...state.proof };
}

/** Begin or continue with the ids that lie in storage; only called once storage is allowed. */
export function openState() {
  allowStorage(true);
  const known = load('') || {};
  state.anonymousId = known.anonymousId || state.anonymousId || uuid();
  state.userId = known.userId || state.userId;
  keepState();
}

/** Write ids and consent down, where that is allowed. */
export function keepState() {
  save('', { anonymousId: state.anonymousId, userId: state.userId, categories: state.categories, proof: state.proof });
}

/** Remove everything that lies in storage, and the ids; names of others that begin like ours stay. */
export function forgetState() {
  allowStorage(true);
  for (const name of ['', ...stored('.')]) remove(name);
  allowStorage(false);
  state.anonymousId = state.userId = '';
}
