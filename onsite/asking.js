// What a page asks the app: with this browser's own id, and nothing else.

import { options } from './options.js';
import { state } from './state.js';

/** A promise of the answer; of an empty one when there is none. */
export async function ask(address, facts, anonymousId = state.anonymousId) {
  try {
    const body = JSON.stringify({ write_key: options.key, anonymous_id: anonymousId, ...facts });
    const answer = await fetch(address, { method: 'POST', body, credentials: 'omit', headers: { 'content-type': 'text/plain' } });
    return answer.ok ? await answer.json() : {};
  } catch {
    return {};
  }
}
