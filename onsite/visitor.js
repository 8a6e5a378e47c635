// What the page may know of its own visitor: what somebody marked for the site. Nothing when in doubt, and nothing before consent.

import { options } from './options.js';
import { agreed, state } from './state.js';

const NOTHING = { traits: {}, segments: [] };

/** A promise of {traits, segments}. Asks the address of `data-profiles`, with this browser's own id and nothing else. */
export async function visitor() {
  if (!options.profiles || !agreed() || !state.anonymousId) return NOTHING;
  try {
    const body = JSON.stringify({ write_key: options.key, anonymous_id: state.anonymousId });
    const answer = await fetch(options.profiles, { method: 'POST', body, credentials: 'omit', headers: { 'content-type': 'text/plain' } });
    return answer.ok ? await answer.json() : NOTHING;
  } catch {
    return NOTHING;
  }
}
