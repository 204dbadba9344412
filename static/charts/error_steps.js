"use strict";
// The error by days ahead, one line for each version.
Charts.register("steps", (figure) => {
  const words = figure.dataset;
  const { days, lines } = JSON.parse(document.getElementById(words.source).textContent);
  const canvas = figure.querySelector("canvas");
  const TONES = ["accent", "test", "other1", "other2"];
  const DASHES = [[], [6, 4], [2, 3], [10, 3]];
  const toPoints = (errors) => (
    days.map((day, at) => ({ x: day, y: errors[at] })).filter((point) => typeof point.y === "number"));
  const datasets = lines.map((version, index) => Charts.line(version.name, version.name, Charts.colour(TONES[index]), {
    data: toPoints(version.errors), borderDash: DASHES[index],
  }));
  const chart = new Chart(canvas, {
    type: "line",
    data: { datasets },
    options: Charts.lineOptions({
      x: Charts.countAxis(words.axis, { min: days[0], max: days[days.length - 1] }),
      y: Charts.percentAxis(),
      mode: "x",
      showLegend: lines.length > 1,
      title: (items) => (items.length ? words.say.replace("{day}", items[0].parsed.x) : ""),
    }),
  });
  Charts.mark(canvas, chart);
  return chart;
});
