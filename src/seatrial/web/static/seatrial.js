// Keys that press what is shown: within [data-keys], which takes the focus, x clicks data-key="x".
"use strict";
const focused = () => document.querySelector("[data-keys]")?.focus({ preventScroll: true });
document.addEventListener("DOMContentLoaded", focused);
document.addEventListener("htmx:afterSettle", focused);
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const found = [...(event.target.closest("[data-keys]")?.querySelectorAll("[data-key]") ?? [])].find(
    (each) => each.dataset.key === event.key && !each.matches(":disabled")
  );
  if (found) {
    event.preventDefault();
    found.click();
  }
});
// What renews itself, [data-live], rests while nobody sees it, and while somebody is at it by keyboard
// or has numbers of it open: what they read does not vanish under their hands.
for (const moment of ["htmx:beforeRequest", "htmx:beforeSwap"])
  document.addEventListener(moment, (event) => {
    const live = event.detail.elt?.closest?.("[data-live]");
    if (live && (document.hidden || live.querySelector(":focus-visible, details[open]")))
      event.preventDefault();
  });
// Nothing answers: what was sent may be lost, what renews itself stands still, until something answers.
const unheard = () => document.querySelector("#said .unheard");
document.addEventListener("htmx:sendError", () => {
  if (unheard()) return;
  const told = document.createElement("p");
  told.className = "flash fail unheard";
  told.textContent = "The server does not answer. What stands here may be old, and what you sent last was perhaps not taken: try again.";
  document.querySelector("#said")?.append(told);
});
document.addEventListener("htmx:beforeOnLoad", () => unheard()?.remove());
