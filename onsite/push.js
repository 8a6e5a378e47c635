// Web push: this browser's subscription, made when the page asks for it and only after the visitor agreed to it.

import { ask } from './asking.js';
import { options } from './options.js';
import { agreed, state } from './state.js';

const PAUSES_SECONDS = [0, 3, 10, 30, 60]; // the server hears of the consent by the queue, a moment later

const wanted = () => agreed() && state.categories.marketing_push === true && !!state.anonymousId;

/** A promise of 'subscribed', 'denied', 'unsupported', 'no consent' or 'later'. `worker` is the service worker's path on the page's own host. */
export async function push(worker) {
  if (!options.push || !navigator.serviceWorker || !window.PushManager) return 'unsupported';
  if (!wanted()) return 'no consent';
  if ((await Notification.requestPermission()) !== 'granted') return 'denied';
  const { key } = await ask(options.push);
  if (!key) return 'unsupported';
  const registration = await navigator.serviceWorker.register(worker || '/cegla-push.js');
  await navigator.serviceWorker.ready;
  const made = await subscriptionOf(registration.pushManager, key).catch(() => 0); // the browser has no push service
  if (!made) return 'unsupported';
  const { endpoint, keys } = made.toJSON();
  for (const seconds of PAUSES_SECONDS) {
    await new Promise((go) => setTimeout(go, seconds * 1000));
    if (!wanted()) return 'no consent';
    if ((await ask(options.push, { endpoint, keys })).kept) return 'subscribed';
  }
  return 'later';
}

/** The visitor took the consent back: the browser and the server forget the subscription. */
export async function endPush() {
  const { anonymousId } = state;
  if (!options.push || !navigator.serviceWorker) return;
  const registration = await navigator.serviceWorker.getRegistration();
  const subscription = registration && registration.pushManager && (await registration.pushManager.getSubscription());
  if (!subscription) return;
  await subscription.unsubscribe();
  await ask(options.push, { endpoint: subscription.endpoint, gone: true }, anonymousId);
}

async function subscriptionOf(manager, key) {
  const fresh = () => manager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  try {
    return await fresh();
  } catch (refused) {
    const old = await manager.getSubscription(); // made under another key
    if (!old) throw refused;
    await old.unsubscribe();
    return fresh();
  }
}
