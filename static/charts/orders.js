"use strict";
// Service against stock: a curve of our policy and one of days of cover, the own rule as a point.
Charts.register("orders", (figure) => {
  const words = figure.dataset;
  const curves = JSON.parse(document.getElementById(words.source).textContent);
  const canvas = figure.querySelector("canvas");
  const points = (name) => (curves[name] || []).map(([x, y]) => ({ x, y }));
  const spot = (name, tone, pointStyle) => Charts.line(name, words[name], Charts.colour(tone), {
    data: points(name), showLine: false, pointRadius: 8, pointStyle, clip: false,
  });
  const chart = new Chart(canvas, {
    type: "line",
    data: {
      datasets: [
        Charts.line("ours", words.ours, Charts.colour("accent"), {
          data: points("ours"), pointRadius: 3, clip: false,
        }),
        Charts.line("cover", words.cover, Charts.colour("sales"), {
          data: points("cover"), pointRadius: 3, borderDash: [6, 4], clip: false,
        }),
        spot("own", "test", "rectRot"),
        spot("foresight", "other1", "triangle"),
      ].filter((set) => set.data.length),
    },
    options: Charts.lineOptions({
      x: Charts.countAxis(words.days, { title: { display: true, text: words.days, color: Charts.colour("soft") } }),
      y: Charts.percentAxis({ beginAtZero: false, max: 1 }),
      mode: "nearest",
      title: (items) => (items.length ? `${Charts.number(items[0].parsed.x)} · ${words.days}` : ""),
    }),
  });
  Charts.mark(canvas, chart);
  return chart;
});
