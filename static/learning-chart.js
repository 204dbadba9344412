"use strict";
// The learning curve: reads the list of points below it and grows with that list.
Charts.register("learning", (figure, signal) => {
  const list = document.getElementById(figure.dataset.source);
  const canvas = figure.querySelector("canvas");
  const line = (name, label, colour, dash) => ({
    name, label, data: [], borderColor: colour, backgroundColor: colour, borderDash: dash,
    borderWidth: 2, pointRadius: 2, tension: 0, spanGaps: true,
  });
  const train = line("train", figure.dataset.train, Charts.colour("accent"), []);
  const check = line("check", figure.dataset.check, Charts.colour("test"), [6, 4]);
  const refit = line("refit", figure.dataset.refit, Charts.colour("sales"), []);

  const chart = new Chart(canvas, {
    type: "line",
    data: { datasets: [train, check, refit] },
    options: {
      animation: false,
      parsing: false,
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      scales: {
        x: { ...Charts.axis(figure.dataset.round), type: "linear", beginAtZero: false, min: 1, ticks: { precision: 0, color: Charts.colour("soft") } },
        y: { ...Charts.axis(""), beginAtZero: false, ticks: { color: Charts.colour("soft"), callback: Charts.percent } },
      },
      plugins: { legend: { labels: {
          color: Charts.colour("text"),
          usePointStyle: true,
          pointStyle: "line",
          filter: (item, data) => data.datasets[item.datasetIndex].data.length > 0,
        } },
        tooltip: { callbacks: { title: () => "", label: (item) => `${item.dataset.label}: ${Charts.percent(item.parsed.y)}` } },
      },
    },
  });

  let read = 0;
  const grow = () => {
    const points = [...list.querySelectorAll("li")];
    for (const point of points.slice(read)) {
      read += 1;
      const line = point.dataset.step === "refit" ? refit : train;
      if (point.dataset.train) line.data.push({ x: read, y: Number(point.dataset.train) });
      if (point.dataset.check) check.data.push({ x: read, y: Number(point.dataset.check) });
    }
    chart.update("none");
    Charts.mark(canvas, chart);
  };
  grow();
  const watch = new MutationObserver(grow);
  watch.observe(list, { childList: true });
  signal.addEventListener("abort", () => watch.disconnect());
  return chart;
});
