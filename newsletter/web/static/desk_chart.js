// Draws a chart above each table that asks for one (`data-chart`); the table stays, for whoever reads rather than looks.
"use strict";

const palette = getComputedStyle(document.documentElement);
const colour = (name) => palette.getPropertyValue(name).trim();
const SERIES = ["--brand", "--edge"];

for (const table of document.querySelectorAll("table[data-chart]")) draw(table);

function draw(table) {
  const rows = [...table.tBodies[0].rows].map((row) => ({
    label: row.cells[0].textContent.trim(),
    values: [...row.querySelectorAll("[data-value]")].map((cell) => Number(cell.dataset.value)),
  }));
  if (!rows.some((row) => row.values.some(Boolean))) return; // nothing to see yet
  if (table.dataset.order === "value") rows.sort((one, other) => other.values[0] - one.values[0]);
  const heads = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent.trim());
  const isFlat = table.dataset.chart === "bar";
  new Chart(canvasBefore(table, rows, heads), {
    type: table.dataset.chart === "line" ? "line" : "bar",
    data: {
      labels: rows.map((row) => row.label),
      datasets: heads.map((label, index) => ({
        label,
        data: rows.map((row) => row.values[index]),
        backgroundColor: colour(SERIES[index]),
        borderColor: colour(SERIES[index]),
        borderWidth: table.dataset.chart === "line" ? 2 : 0,
        borderRadius: 4,
        maxBarThickness: 24,
        pointRadius: 2,
      })),
    },
    options: look(isFlat, heads.length > 1, table.dataset.chart === "columns"),
  });
}

// A canvas is a picture: it says what it shows, and the numbers stand in the table below it.
function canvasBefore(table, rows, heads) {
  const frame = document.createElement("div");
  frame.className = "chart";
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${heads.join(", ")}: ${rows.map((row) => row.label).join(", ")}`);
  frame.append(canvas);
  const box = document.createElement("div");
  box.className = "charted";
  box.tabIndex = 0;
  box.setAttribute("role", "group");
  box.setAttribute("aria-label", heads.join(", "));
  table.replaceWith(frame, box);
  box.append(table);
  return canvas;
}

function look(isFlat, hasLegend, isStacked) {
  const text = { color: colour("--soft"), font: { size: 12, family: palette.getPropertyValue("--chinese") } };
  const axis = (isOfValues) => ({
    stacked: isStacked,
    border: { display: false },
    grid: { display: isOfValues, color: colour("--line") },
    ticks: { ...text, precision: 0, ...(isOfValues && { callback: (value) => Math.abs(value).toLocaleString() }) },
  });
  return {
    indexAxis: isFlat ? "y" : "x",
    animation: false,
    maintainAspectRatio: false,
    scales: { x: axis(isFlat), y: axis(!isFlat) },
    plugins: {
      legend: { display: hasLegend, position: "bottom", labels: { ...text, boxWidth: 12, boxHeight: 12 } },
      tooltip: { callbacks: { label: (at) => `${at.dataset.label}: ${Math.abs(at.raw).toLocaleString()}` } },
    },
  };
}
