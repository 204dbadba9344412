"use strict";
// From the usual level to the forecast, and the parts of each day.
(() => {
  const TONES = {
    level: "sales", weekday: "other2", season: "good", holiday: "closed", promotion: "promo", price: "test", other: "warn",
  };
  const read = (figure) => JSON.parse(document.getElementById(figure.dataset.source).textContent);
  const signed = (value) => `${value > 0 ? "+" : ""}${Charts.number(value)}`;

  Charts.register("waterfall", (figure) => {
    const words = figure.dataset;
    const { groups, total } = read(figure);
    const canvas = figure.querySelector("canvas");
    let sum = 0;
    const bars = groups.map(({ units }) => [sum, sum += units]);
    bars.push([0, total]);
    const labels = [...groups.map(({ label }) => label), words.total];
    const tones = [...groups.map(({ name }) => TONES[name]), "accent"].map(Charts.colour);
    const values = [...groups.map(({ units }) => units), total];
    // of a forecast of thousands the parts would be invisible beside bars that begin at nothing
    const ends = bars.slice(1, -1).flat().concat(bars[0][1], total);
    const low = Math.min(...ends);
    const high = Math.max(...ends);
    const step = 10 ** Math.floor(Math.log10(Math.max(high - low, 1e-6)));
    const least = Math.max(0, Math.floor((low - (high - low)) / step) * step);
    const chart = new Chart(canvas, {
      type: "bar",
      data: { labels, datasets: [{ name: "parts", data: bars, backgroundColor: tones, borderSkipped: false }] },
      options: {
        animation: false,
        maintainAspectRatio: false,
        scales: {
          x: { ticks: { color: Charts.colour("soft") }, grid: { display: false } },
          y: Charts.axis("", { beginAtZero: least === 0, ...(least > 0 && { min: least }) }),
        },
        plugins: {
          legend: { display: false },
          tooltip: {
            callbacks: {
              label: ({ dataIndex: at }) => words.units.replace(
                "{value}", at === 0 || at === values.length - 1 ? Charts.number(values[at]) : signed(values[at])),
            },
          },
        },
      },
    });
    Charts.mark(canvas, chart);
    return chart;
  });

  Charts.register("parts", (figure) => {
    const words = figure.dataset;
    const { days: dates, groups, mean } = read(figure);
    const { format } = Charts.dates({ day: "numeric", month: "short" });
    const canvas = figure.querySelector("canvas");
    const bars = groups.map(({ name, label, days }) => ({
      name, label, data: days, backgroundColor: Charts.colour(TONES[name]), stack: "parts", order: 1,
    }));
    const line = {
      ...Charts.line("mean", words.expected, Charts.colour("accent")), type: "line", data: mean, order: 0, stack: "mean",
    };
    const chart = new Chart(canvas, {
      type: "bar",
      data: { labels: dates.map((day) => format(new Date(day))), datasets: [line, ...bars] },
      options: {
        animation: false,
        maintainAspectRatio: false,
        interaction: { mode: "index", intersect: false },
        scales: {
          x: { stacked: true, ticks: { color: Charts.colour("soft"), maxRotation: 0 }, grid: { display: false } },
          y: Charts.axis(words.unitDay, { stacked: true }),
        },
        plugins: {
          legend: Charts.legend({ boxWidth: 14 }),
          tooltip: {
            callbacks: {
              label: ({ dataset, parsed }) => (
                `${dataset.label}: ${dataset.name === "mean" ? Charts.number(parsed.y) : signed(parsed.y)}`),
            },
          },
        },
      },
    });
    Charts.mark(canvas, chart);
    return chart;
  });
})();
