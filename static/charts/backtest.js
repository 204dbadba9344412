"use strict";
// The backtest: a bar for the error of each test in the table below it, a line for repeating last week.
Charts.register("backtest", (figure) => {
  const canvas = figure.querySelector("canvas");
  const rows = [...document.querySelectorAll(`#${figure.dataset.source} tbody tr`)];
  const naive = Number(figure.dataset.naive);
  const line = Charts.line("naive", figure.dataset.naiveLabel, Charts.colour("test"), {
    type: "line", data: naive ? rows.map(() => naive) : [], borderDash: [6, 4], pointRadius: 0,
  });
  const bars = {
    name: "error", label: figure.dataset.label, data: rows.map((row) => (row.dataset.error ? Number(row.dataset.error) : null)),
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
        y: Charts.percentAxis(),
      },
      plugins: {
        legend: Charts.legend(),
        tooltip: { callbacks: { label: Charts.percentLabel } },
      },
    },
  });
  Charts.mark(canvas, chart);
  return chart;
});
