"use strict";
// The error by days ahead, a line for each version.
Charts.register("steps", (figure) => {
  const words = figure.dataset;
  const { days, lines } = JSON.parse(document.getElementById(words.source).textContent);
  const canvas = figure.querySelector("canvas");
  const tones = ["accent", "test", "other1", "other2"];
  const datasets = lines.map((line, index) => ({
    name: line.name,
    label: line.name,
    data: days.map((day, at) => ({ x: day, y: line.errors[at] })).filter((point) => typeof point.y === "number"),
    borderColor: Charts.colour(tones[index]),
    backgroundColor: Charts.colour(tones[index]),
    borderDash: [[], [6, 4], [2, 3], [10, 3]][index],
    borderWidth: 2,
    pointRadius: 2,
    tension: 0,
  }));
  const chart = new Chart(canvas, {
    type: "line",
    data: { datasets },
    options: {
      animation: false,
      parsing: false,
      maintainAspectRatio: false,
      interaction: { mode: "x", intersect: false },
      scales: {
        x: { ...Charts.axis(words.axis), type: "linear", beginAtZero: false, min: days[0], max: days[days.length - 1],
          ticks: { precision: 0, color: Charts.colour("soft") } },
        y: { ...Charts.axis(""), ticks: { color: Charts.colour("soft"), callback: Charts.percent } },
      },
      plugins: {
        legend: { display: lines.length > 1, labels: { color: Charts.colour("text"), usePointStyle: true, pointStyle: "line" } },
        tooltip: { callbacks: {
          title: (items) => (items.length ? words.say.replace("{day}", items[0].parsed.x) : ""),
          label: (item) => `${item.dataset.label}: ${Charts.percent(item.parsed.y)}`,
        } },
      },
    },
  });
  Charts.mark(canvas, chart);
  return chart;
});
