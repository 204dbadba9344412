"use strict";
// History, test forecast, forecast and its ranges on one axis of whole days since 1970 (UTC): no time zone,
// no date adapter. Every word comes from the figure's data attributes and labels.
Charts.register("forecast", (figure, signal) => {
  const DAY = 86400000;
  const MONTH_TICKS = 120; // more days than this: ticks at the starts of months instead of Mondays
  const words = figure.dataset;
  const data = JSON.parse(document.getElementById(words.source).textContent);
  const canvas = figure.querySelector("canvas");
  const readout = figure.querySelector(".readout");
  const day = (iso) => Math.round(Date.parse(`${iso}T00:00:00Z`) / DAY);
  const dates = (options) => new Intl.DateTimeFormat(Charts.language, { timeZone: "UTC", ...options });
  const longDate = dates({ weekday: "short", day: "numeric", month: "short", year: "numeric" });
  const dayMonth = dates({ day: "numeric", month: "short" });
  const monthYear = dates({ month: "short", year: "numeric" });

  // --- data --------------------------------------------------------------------------------------
  const origin = day(data.origin);
  const rows = new Map(); // day -> everything known about it
  for (const row of data.history) rows.set(day(row.date), { ...row, sold: row.sales });
  for (const row of data.forecast) rows.set(day(row.date), { ...row, expected: row.mean });
  const all = [...rows.keys()].sort((a, b) => a - b);
  const first = all[0];
  const last = all[all.length - 1];
  const points = (list, key) => list.filter((row) => row[key] !== null && row[key] !== undefined)
    .map((row) => ({ x: day(row.date), y: row[key] }));
  const accent = Charts.colour("accent");

  const line = (name, list, key, colour, extra) => ({
    name, group: name, data: points(list, key), borderColor: colour, backgroundColor: colour,
    borderWidth: 1.6, pointRadius: 0, pointHoverRadius: 4, tension: 0, ...extra,
  });
  const band = (group, low, high, alpha) => [
    { ...line(`${group}-low`, data.forecast, low, "transparent"), group, pointHoverRadius: 0, borderWidth: 0 },
    { ...line(`${group}-high`, data.forecast, high, "transparent"), group, pointHoverRadius: 0, borderWidth: 0,
      fill: "-1", backgroundColor: Charts.faded(accent, alpha) },
  ];
  const alphas = { b95: 0.14, b80: 0.22, b50: 0.32 };
  const datasets = [
    ...band("b95", "q0.025", "q0.975", alphas.b95),
    ...band("b80", "q0.1", "q0.9", alphas.b80),
    ...band("b50", "q0.25", "q0.75", alphas.b50),
    line("sales", data.history, "sales", Charts.colour("sales")),
    line("test", data.test, "mean", Charts.colour("test"), { borderDash: [5, 3], borderWidth: 2 }),
    line("forecast", data.forecast, "mean", accent, { borderWidth: 2.4 }),
    ...(data.compare || []).map((other, index) => (
      line(`other${index + 1}`, other.days, "mean", Charts.colour(`other${index + 1}`), { borderWidth: 2, borderDash: [8, 3] }))),
  ];

  // --- marks behind the lines ---------------------------------------------------------------------
  const shown = { promo: true, closed: true };
  const spans = (key) => {
    const found = [];
    for (const x of all) {
      if (!rows.get(x)[key]) continue;
      const tail = found[found.length - 1];
      if (tail && tail[1] === x - 1) tail[1] = x;
      else found.push([x, x]);
    }
    return found;
  };
  const marked = { promo: spans("promo"), closed: spans("closed") };
  let drag = null;
  const fill = (chart, from, to, colour, low) => {
    const { left, right, top, bottom } = chart.chartArea;
    const a = Math.max(left, chart.scales.x.getPixelForValue(from - 0.5));
    const b = Math.min(right, chart.scales.x.getPixelForValue(to + 0.5));
    if (b <= a) return;
    chart.ctx.fillStyle = colour;
    const height = low ? 7 : bottom - top;
    chart.ctx.fillRect(a, bottom - height, Math.max(1, b - a), height);
  };
  const marks = {
    id: "marks",
    beforeDatasetsDraw(chart) {
      const { ctx, chartArea: { left, right, top, bottom } } = chart;
      ctx.save();
      if (shown.promo) for (const [a, b] of marked.promo) fill(chart, a, b, Charts.colour("promo"), false);
      if (shown.closed) for (const [a, b] of marked.closed) fill(chart, a, b, Charts.colour("closed"), true);
      const x = chart.scales.x.getPixelForValue(origin + 0.5);
      if (x > left && x < right) {
        ctx.strokeStyle = Charts.colour("soft");
        ctx.setLineDash([4, 4]);
        ctx.beginPath();
        ctx.moveTo(x, top);
        ctx.lineTo(x, bottom);
        ctx.stroke();
      }
      ctx.restore();
    },
    afterDraw(chart) {
      if (!drag) return;
      const { ctx, chartArea: { top, bottom } } = chart;
      ctx.save();
      ctx.fillStyle = Charts.faded(Charts.colour("link"), 0.2);
      ctx.fillRect(Math.min(drag.from, drag.to), top, Math.abs(drag.to - drag.from), bottom - top);
      ctx.restore();
    },
  };

  // --- axis of days -------------------------------------------------------------------------------
  const ticks = (scale) => {
    const { min, max } = scale;
    const found = [];
    if (max - min > MONTH_TICKS) { // month starts
      const at = new Date(Math.ceil(min) * DAY);
      at.setUTCDate(1);
      while (at.getTime() / DAY <= max) {
        const value = at.getTime() / DAY;
        if (value >= min) found.push({ value });
        at.setUTCMonth(at.getUTCMonth() + 1);
      }
    } else { // Mondays
      for (let value = Math.ceil(min); value <= max; value += 1) if ((value + 3) % 7 === 0) found.push({ value });
    }
    const step = Math.max(1, Math.ceil(found.length / Math.max(2, Math.floor(scale.width / 90))));
    scale.ticks = found.filter((_tick, index) => index % step === 0);
  };
  const tickWord = function (value) {
    return (this.max - this.min > MONTH_TICKS ? monthYear : dayMonth).format(new Date(value * DAY));
  };
  const zoomTo = (min, max) => {
    chart.options.scales.x.min = min;
    chart.options.scales.x.max = max;
    chart.update("none");
  };
  const showDays = (text) => {
    zoomTo(text === "all" ? first : Math.max(first, origin - Number(text) + 1), last);
    figure.querySelectorAll(".ranges button").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.days === text));
    });
  };

  // --- words of one day ---------------------------------------------------------------------------
  const label = (group) => figure.querySelector(`[data-series="${group}"]`)?.closest("label").innerText.trim() || group;
  const say = (template, values) => template.replace(/\{(\w+)\}/g, (_all, name) => values[name]);
  const told = (x) => {
    const row = rows.get(x) || {};
    const notes = [row.promo ? words.sayPromo : "", row.closed ? words.sayClosed : ""].filter(Boolean);
    const date = longDate.format(new Date(x * DAY));
    let text = say(words.sayNone, { date });
    if (row.expected !== undefined) {
      text = say(words.sayExpected, {
        date, value: Charts.number(row.expected), low: Charts.number(row["q0.1"]), high: Charts.number(row["q0.9"]),
      });
    } else if (row.sold !== null && row.sold !== undefined) {
      text = say(words.saySold, { date, value: Charts.number(row.sold) });
    }
    return [text, ...notes].join(" · ");
  };
  const isLine = (set) => set.name === set.group;

  const chart = new Chart(canvas, {
    type: "line",
    data: { datasets },
    plugins: [marks],
    options: {
      animation: false,
      parsing: false,
      normalized: true,
      maintainAspectRatio: false,
      interaction: { mode: "x", intersect: false },
      scales: {
        x: { type: "linear", min: first, max: last, afterBuildTicks: ticks, grid: { color: Charts.colour("line") },
          ticks: { color: Charts.colour("soft"), callback: tickWord, maxRotation: 0, autoSkip: false } },
        y: Charts.axis(words.unit),
      },
      plugins: {
        legend: { display: false },
        tooltip: {
          filter: (item, index, items) => isLine(item.dataset)
            && items.findIndex((other) => other.dataset === item.dataset) === index,
          callbacks: {
            title: (items) => (items.length ? longDate.format(new Date(items[0].parsed.x * DAY)) : ""),
            label: (item) => `${label(item.dataset.group)}: ${Charts.number(item.parsed.y)}`,
            footer: (items) => {
              const row = items.length && rows.get(items[0].parsed.x);
              if (!row) return "";
              const [low, high] = [Charts.number(row["q0.1"]), Charts.number(row["q0.9"])];
              const range = row.expected === undefined ? "" : `${words.range}: ${low} – ${high}`;
              return [range, row.promo ? words.sayPromo : "", row.closed ? words.sayClosed : ""].filter(Boolean);
            },
          },
        },
      },
    },
  });

  // --- hands --------------------------------------------------------------------------------------
  const listen = (target, type, action) => target.addEventListener(type, action, { signal });
  const showSeries = (box) => {
    const name = box.dataset.series;
    if (name in shown) shown[name] = box.checked;
    datasets.forEach((set, index) => { if (set.group === name) chart.setDatasetVisibility(index, box.checked); });
  };
  figure.querySelectorAll("[data-series]").forEach((box) => {
    const empty = box.dataset.series in marked ? !marked[box.dataset.series].length
      : !datasets.some((set) => set.group === box.dataset.series && set.data.length);
    box.closest("label").hidden = empty;
    showSeries(box);
    listen(box, "change", () => { showSeries(box); chart.update("none"); });
  });
  figure.querySelectorAll(".ranges button").forEach((button) => listen(button, "click", () => showDays(button.dataset.days)));

  let at = origin;
  const read = (x) => {
    at = Math.min(Math.max(x, first), last);
    const active = [];
    datasets.forEach((set, datasetIndex) => {
      const index = isLine(set) && chart.isDatasetVisible(datasetIndex) ? set.data.findIndex((point) => point.x === at) : -1;
      if (index >= 0) active.push({ datasetIndex, index });
    });
    chart.setActiveElements(active);
    chart.tooltip.setActiveElements(active, { x: chart.scales.x.getPixelForValue(at), y: chart.chartArea.top });
    chart.update("none");
    readout.textContent = told(at);
  };
  listen(canvas, "keydown", (event) => {
    const { min, max } = chart.scales.x;
    const moves = {
      ArrowLeft: at - 1, ArrowRight: at + 1, PageUp: at - 7, PageDown: at + 7, Home: Math.ceil(min), End: Math.floor(max),
    };
    if (!(event.key in moves)) return;
    event.preventDefault();
    read(moves[event.key]);
    if (at < min) zoomTo(Math.max(first, at), Math.min(last, max - (min - at)));
    else if (at > max) zoomTo(Math.max(first, min + (at - max)), Math.min(last, at));
  });

  const across = (event) => Math.min(Math.max(event.offsetX, chart.chartArea.left), chart.chartArea.right);
  listen(canvas, "pointerdown", (event) => {
    if (event.pointerType !== "touch" && event.button === 0) drag = { from: across(event), to: across(event) };
  });
  listen(canvas, "pointermove", (event) => {
    if (!drag) return;
    drag.to = across(event);
    chart.draw();
  });
  listen(window, "pointerup", () => {
    if (!drag) return;
    const [a, b] = [drag.from, drag.to].sort((x, y) => x - y).map((x) => chart.scales.x.getValueForPixel(x));
    const wide = Math.abs(drag.to - drag.from) > 12;
    drag = null;
    if (wide && b - a >= 2) {
      zoomTo(Math.max(first, Math.round(a)), Math.min(last, Math.round(b)));
      figure.querySelectorAll(".ranges button").forEach((button) => button.setAttribute("aria-pressed", "false"));
    } else chart.draw();
  });
  listen(canvas, "dblclick", () => showDays(words.days));

  const button = figure.closest("section")?.querySelector("[data-picture]");
  if (button) {
    listen(button, "click", () => Charts.savePicture(chart, { figure, alphas, labelOf: label }, button.dataset.picture));
  }

  showDays(words.days);
  Charts.mark(canvas, chart);
  return chart;
});
