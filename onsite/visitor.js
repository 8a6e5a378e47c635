// What the page may know of its own visitor: what somebody marked for the site. Nothing when in doubt, and nothing before consent.

import { ask } from './asking.js';
import { options } from './options.js';
import { agreed, state } from './state.js';

/** A promise of {traits, segments}. Asks the address of `data-profiles`. */
export async function visitor() {
  const found = options.profiles && agreed() && state.anonymousId ? await ask(options.profiles) : {};
  return { traits: {}, segments: [], ...found };
}
