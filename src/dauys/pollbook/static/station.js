// Printing needs a script; everything else works without one. A form that was sent is not sent by a second click.
// What a field for a search or an IIN holds already is selected with it: a scanner types over it.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
if (document.querySelector("[data-print-now]")) window.addEventListener("load", () => window.print());
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
for (const field of document.querySelectorAll("form.search input:not([type=hidden])")) {
  field.addEventListener("focus", () => field.select());
  if (document.activeElement === field) field.select();
}
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});
