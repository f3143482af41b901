// Offers the time zone of the device, wherever nobody has chosen one. Without it the list of zones works as well.
"use strict";

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
for (const select of zone ? document.querySelectorAll("select[data-zone]") : []) {
  let own = [...select.options].find((option) => option.value === zone);
  if (!own) {
    const city = zone.split("/").pop().replaceAll("_", " "); // a name that the list knows by another
    own = new Option(city, zone);
    select.options[0].after(own);
  }
  own.textContent = select.dataset.zone.replace("{city}", own.textContent);
  own.selected = true;
}
