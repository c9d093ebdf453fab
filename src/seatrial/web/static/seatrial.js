// Keys that press what is shown: an element with data-key="x" is clicked by x.
"use strict";
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const found = [...document.querySelectorAll("[data-key]")].find(
    (each) => each.dataset.key === event.key && !each.disabled
  );
  if (found) {
    event.preventDefault();
    found.click();
  }
});
