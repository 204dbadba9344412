"use strict";
// The zone that takes a file lights up while one is dragged over it, and the file's name is proposed for the
// dataset. Without JavaScript the zone takes files all the same, and the server names the dataset.

const zone = document.querySelector(".drop");
const file = zone?.querySelector("input[type=file]");
const name = document.getElementById("id_name");

for (const type of ["dragenter", "dragover"]) zone?.addEventListener(type, () => zone.classList.add("over"));
for (const type of ["dragleave", "drop"]) zone?.addEventListener(type, () => zone.classList.remove("over"));

file?.addEventListener("change", () => {
  if (!file.files.length || !name || name.dataset.typed) return;
  const ending = /(\.(csv|txt|tsv|xlsx|xlsm|xls|xlsb|ods|parquet|zip|gz))+$/i;
  name.value = file.files[0].name.replace(ending, "").trim().slice(0, 80);
});
name?.addEventListener("input", () => { name.dataset.typed = "yes"; });
