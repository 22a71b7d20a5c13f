// The Copy buttons, hidden until this runs: each copies the element that it names.
const told = document.getElementById("told");
let last;

function select(source) {
  if (source.select) source.select();
  else getSelection().selectAllChildren(source);
}

async function copy(button, source) {
  if (last) last.textContent = last.dataset.word;
  last = button.querySelector("span");
  last.dataset.word ??= last.textContent;
  told.textContent = "";
  try {
    await navigator.clipboard.writeText((source.href ?? source.value ?? source.textContent).trim());
    last.textContent = "Copied";
    told.textContent = "Copied";
  } catch {
    select(source);
    last.textContent = "Selected";
    told.textContent = "This browser does not let the page copy. The text is selected: copy it yourself";
  }
}

for (const button of document.querySelectorAll("[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  // The address of a link is nowhere to be selected.
  if (source.href && !navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", () => copy(button, source));
}
