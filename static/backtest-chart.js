"use strict";
// The back-test: one bar for the error of each test of the table below it, a line for repeating last week.
Charts.register("backtest", (figure) => {
  const canvas = figure.querySelector("canvas");
  const rows = [...document.querySelectorAll(`#${figure.dataset.source} tbody tr`)];
  const naive = Number(figure.dataset.naive);
  const line = {
    name: "naive", type: "line", label: figure.dataset.naiveLabel, data: naive ? rows.map(() => naive) : [],
    borderColor: Charts.colour("test"), backgroundColor: Charts.colour("test"), borderDash: [6, 4],
    borderWidth: 2, pointRadius: 0,
  };
  const bars = {
    name: "error", label: figure.dataset.label, data: rows.map((row) => Number(row.dataset.error)),
    backgroundColor: Charts.colour("accent"), maxBarThickness: 48,
  };
  const chart = new Chart(canvas, {
    type: "bar",
    data: { labels: rows.map((row) => row.dataset.day), datasets: [line, bars] },
    options: {
      animation: false,
      maintainAspectRatio: false,
      scales: {
        x: { ticks: { color: Charts.colour("soft") }, grid: { display: false } },
        y: { ...Charts.axis(""), ticks: { color: Charts.colour("soft"), callback: Charts.percent } },
      },
      plugins: {
        legend: { labels: { color: Charts.colour("text") } },
        tooltip: { callbacks: { label: (item) => `${item.dataset.label}: ${Charts.percent(item.parsed.y)}` } },
      },
    },
  });
  Charts.mark(canvas, chart);
  return chart;
});
