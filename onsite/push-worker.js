// The service worker of web push: shows what comes, and opens what it leads to. It keeps nothing and asks nobody.

self.addEventListener('push', (event) => {
  let told = {};
  try {
    told = event.data.json();
  } catch {
    // a message that is none still has to be shown: browsers take permission away from workers that stay silent
  }
  const { title, body, tag, url } = told;
  event.waitUntil(self.registration.showNotification(title || self.location.host, { body, tag, data: { url } }));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  const { url } = event.notification.data || {};
  if (typeof url === 'string' && url.startsWith('https://')) event.waitUntil(self.clients.openWindow(url));
});
