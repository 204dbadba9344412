"use strict";
// What every chart shares: a figure is drawn when htmx loads it and let go when htmx removes it.
const Charts = (() => {
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  const makers = new Map(); // kind -> function(figure, signal) -> {chart, destroy?}
  const drawn = new Map(); // figure -> {chart, control}

  const draw = (figure) => {
    const make = makers.get(figure.dataset.chart);
    if (!make || drawn.has(figure) || !figure.isConnected) return;
    const control = new AbortController();
    drawn.set(figure, { chart: make(figure, control.signal), control });
  };

  const forget = (figure) => {
    const entry = drawn.get(figure);
    if (!entry) return;
    drawn.delete(figure);
    entry.control.abort();
    entry.chart.destroy();
  };

  document.addEventListener("htmx:load", (event) => {
    const root = event.detail.elt;
    if (root.matches?.("[data-chart]")) draw(root);
    root.querySelectorAll?.("[data-chart]").forEach(draw);
  });
  document.addEventListener("DOMContentLoaded", () => { // the admin has no htmx
    if (!window.htmx) document.querySelectorAll("[data-chart]").forEach(draw);
  });
  document.addEventListener("htmx:beforeCleanupElement", (event) => forget(event.target));
  const repaint = () => { for (const figure of [...drawn.keys()]) { forget(figure); draw(figure); } };
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  new MutationObserver(repaint).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  for (const moment of ["beforeprint", "afterprint"]) {
    window.addEventListener(moment, () => drawn.forEach(({ chart }) => chart.resize()));
  }

  let palette = document.documentElement;
  const colour = (name) => getComputedStyle(palette).getPropertyValue(`--${name}`).trim();
  const light = (action) => { // runs with the light colours, whatever the page wears
    palette = document.body.appendChild(document.createElement("i"));
    palette.className = "light";
    try { action(); } finally { palette.remove(); palette = document.documentElement; }
  };
  const faded = (hex, alpha) => hex + Math.round(alpha * 255).toString(16).padStart(2, "0");
  const page = document.documentElement.lang || "en";
  const language = page === "en" ? "en-GB" : page; // the pages write 9 Nov 2026, so the charts do too
  const number = (value) => new Intl.NumberFormat(language, {
    maximumFractionDigits: Math.abs(value) >= 10 ? 0 : 1,
  }).format(value);

  // Days as the pages write them, "Mon 7 Sep" and "4月5日 周日", where browsers write "Sept" and no space.
  const dates = (options) => {
    const format = new Intl.DateTimeFormat(language, { timeZone: "UTC", ...options });
    const tidy = (text) => text.replace(/\bSept\b/g, "Sep").replace(/日(?=周)/g, "日 ");
    return {
      format: (day) => tidy(format.format(day)),
      formatRange: (first, last) => tidy(format.formatRange(first, last)),
    };
  };

  // A browser test (and a person with developer tools) sees from outside what was drawn.
  const mark = (canvas, chart) => {
    const full = chart.data.datasets.filter((set) => set.data.length > 0);
    canvas.dataset.datasets = full.length;
    canvas.dataset.points = full.reduce((sum, set) => sum + set.data.length, 0);
    canvas.dataset.series = full.map((set) => set.name).join(" ");
    canvas.dataset.drawn = "true";
  };

  const percent = (value) => new Intl.NumberFormat(language, {
    style: "percent", maximumFractionDigits: 1,
  }).format(value);

  // Axes, legend and tooltip that the charts share.
  const axis = (title, extra) => ({
    beginAtZero: true,
    title: { display: Boolean(title), text: title, color: colour("soft") },
    ticks: { color: colour("soft"), callback: (value) => new Intl.NumberFormat(language).format(value) },
    grid: { color: colour("line") },
    ...extra,
  });
  const percentAxis = (extra) => axis("", { ticks: { color: colour("soft"), callback: percent }, ...extra });
  const countAxis = (title, extra) => axis(title, {
    type: "linear", beginAtZero: false, ticks: { color: colour("soft"), precision: 0 }, ...extra,
  });
  const percentLabel = (item) => `${item.dataset.label}: ${percent(item.parsed.y)}`;
  const legend = (extra) => ({ display: true, labels: { color: colour("text"), ...extra } });

  // Options of a chart of errors: one line per series, counted along x, in percent along y.
  const lineOptions = ({ x, y, mode, showLegend = true, inLegend, title }) => ({
    animation: false,
    parsing: false,
    maintainAspectRatio: false,
    interaction: { mode, intersect: false },
    scales: { x, y },
    plugins: {
      legend: {
        ...legend({ usePointStyle: true, pointStyle: "line", ...(inLegend && { filter: inLegend }) }),
        display: showLegend,
      },
      tooltip: { callbacks: { title, label: percentLabel } },
    },
  });
  const line = (name, label, tone, extra) => ({
    name, label, borderColor: tone, backgroundColor: tone, borderWidth: 2, pointRadius: 2, tension: 0, ...extra,
  });

  return {
    register: (kind, make) => makers.set(kind, make),
    colour, light, faded, language, number, percent, dates, mark,
    axis, percentAxis, countAxis, percentLabel, legend, lineOptions, line,
  };
})();
