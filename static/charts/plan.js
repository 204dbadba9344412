"use strict";
// The newest sales, the forecast as it is, and a line for each plan; a single plan has its range. Where the page
// has a calendar of the days ahead, a click on a day ticks it there; the ticked days are shaded.
Charts.register("plan", (figure, signal) => {
  const words = figure.dataset;
  const { history, dates, base, plans } = JSON.parse(document.getElementById(words.source).textContent);
  const canvas = figure.querySelector("canvas");
  const TONES = ["test", "other1", "other2", "promo"];
  const DASHES = [[], [6, 4], [2, 3], [10, 3]];
  const { format } = Charts.dates({ day: "numeric", month: "short" });
  const labels = [...history.map(({ date }) => date), ...dates];
  const ahead = (values) => [...history.map(() => null), ...values];
  const thin = { pointRadius: 0, tension: 0 };
  const band = (name, { low, high }, tone) => [
    { ...thin, name: `${name}-low`, data: ahead(low), borderWidth: 0, hidden: false, isBand: true },
    {
      ...thin, name: `${name}-high`, data: ahead(high), borderWidth: 0, fill: "-1", isBand: true,
      backgroundColor: Charts.faded(Charts.colour(tone), 0.18),
    },
  ];
  const lines = plans.map((plan, at) => Charts.line(`plan${at + 1}`, plan.name, Charts.colour(TONES[at]), {
    data: ahead(plan.mean), borderDash: DASHES[at], pointRadius: 0,
  }));
  const boxes = new Map([...document.querySelectorAll(".daygrid input[name=days]")].map((box) => [box.value, box]));
  const boxAt = (chart, x) => boxes.get(labels[Math.round(chart.scales.x.getValueForPixel(x))]);
  const chosenDays = {
    id: "chosenDays",
    beforeDatasetsDraw: ({ ctx, chartArea, scales: { x } }) => {
      const half = (x.getPixelForValue(1) - x.getPixelForValue(0)) / 2;
      ctx.fillStyle = Charts.faded(Charts.colour("accent"), 0.25);
      labels.forEach((day, at) => {
        if (!boxes.get(day)?.checked) return;
        const [left, right] = [-half, half].map((far) => (
          Math.min(Math.max(x.getPixelForValue(at) + far, chartArea.left), chartArea.right)));
        ctx.fillRect(left, chartArea.top, right - left, chartArea.height);
      });
    },
  };
  const chart = new Chart(canvas, {
    type: "line",
    plugins: [chosenDays],
    data: {
      labels,
      datasets: [
        Charts.line("sales", words.sold, Charts.colour("sales"), {
          data: [...history.map(({ units }) => units), ...dates.map(() => null)], pointRadius: 0,
        }),
        Charts.line("base", words.base, Charts.colour("accent"), { data: ahead(base.mean), pointRadius: 0 }),
        ...lines,
        ...band("base", base, "accent"),
        ...(plans.length === 1 ? band("plan", plans[0], TONES[0]) : []),
      ],
    },
    options: {
      animation: false,
      maintainAspectRatio: false,
      onHover: (event, _items, self) => { canvas.style.cursor = boxAt(self, event.x) ? "pointer" : ""; },
      interaction: { mode: "index", intersect: false },
      scales: {
        x: {
          ticks: { color: Charts.colour("soft"), maxRotation: 0, autoSkipPadding: 16, callback: (at) => format(new Date(labels[at])) },
          grid: { display: false },
        },
        y: Charts.axis(words.unitDay),
      },
      plugins: {
        legend: Charts.legend({
          usePointStyle: true, pointStyle: "line", filter: ({ datasetIndex }, { datasets }) => !datasets[datasetIndex].isBand,
        }),
        tooltip: {
          filter: ({ dataset }) => !dataset.isBand,
          callbacks: {
            title: (items) => (items.length ? format(new Date(labels[items[0].dataIndex])) : ""),
            label: ({ dataset, parsed }) => `${dataset.label}: ${Charts.number(parsed.y)}`,
          },
        },
      },
    },
  });
  if (boxes.size) figure.querySelectorAll("[data-drawn-with]").forEach((element) => { element.hidden = false; });
  canvas.addEventListener("click", (event) => {
    const { left, right, top, bottom } = chart.chartArea;
    const isInside = event.offsetX >= left && event.offsetX <= right && event.offsetY >= top && event.offsetY <= bottom;
    const box = isInside ? boxAt(chart, event.offsetX) : null; // below and above lie the axis and the legend
    box?.closest("details")?.setAttribute("open", "");
    box?.click();
  }, { signal });
  document.addEventListener("change", (event) => { if (event.target.name === "days") chart.draw(); }, { signal });
  Charts.mark(canvas, chart);
  return chart;
});
