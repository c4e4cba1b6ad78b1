"use strict";
// Shows a nudge that the open page hands over; nothing is kept, so the page is always the present one.
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("message", (event) => {
  const { title, body } = event.data;
  event.waitUntil(self.registration.showNotification(title, { body, tag: "nudge", icon: "/static/icon-192.png" }));
});
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(self.clients.matchAll({ type: "window" }).then((all) => all.length ? all[0].focus() : self.clients.openWindow("/")));
});
