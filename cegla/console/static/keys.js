// Keyboard shortcuts: "/" finds people, "g" then a letter opens a screen, "?" shows the list, Esc closes it.
// Without this file everything is still reached by Tab; <body data-keys="off"> turns single keys off.

let waitingForLetter = false;

const typing = (element) => element.closest("input, select, textarea, [contenteditable]") !== null;

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (waitingForLetter) {
    waitingForLetter = false;
    const link = document.querySelector(`a[data-key="${CSS.escape(event.key)}"]`);
    if (link) link.click();
    return;
  }
  if (event.key === "g") {
    waitingForLetter = true;
    setTimeout(() => { waitingForLetter = false; }, 1500);
  } else if (event.key === "/") {
    const search = document.querySelector("#search");
    if (search) { event.preventDefault(); search.focus(); }
  } else if (event.key === "?") {
    const help = document.querySelector("#keys-help");
    if (help) help.showModal();
  }
}

if (document.body.dataset.keys !== "off") document.addEventListener("keydown", onKey);
