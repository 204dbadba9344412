"use strict";
// History, test forecast, forecast and its ranges by day or week. Every word comes from the figure's data
// attributes and labels. Helpers: forecast_data.js (numbers), forecast_marks.js (marks), forecast_words.js.
Charts.register("forecast", (figure, signal) => {
  const MONTH_TICKS = 120; // more days than this: ticks at the starts of months instead of Mondays
  const BANDS = [["b95", "q0.025", "q0.975"], ["b80", "q0.1", "q0.9"], ["b50", "q0.25", "q0.75"]];
  const ALPHAS = { b95: 0.14, b80: 0.22, b50: 0.32 };
  const { points, toDate } = Charts.forecastData;
  const words = figure.dataset;
  const source = JSON.parse(document.getElementById(words.source).textContent);
  const data = Charts.forecastData.read(source);
  const canvas = figure.querySelector("canvas");
  const readout = figure.querySelector(".readout");
  const [dayMonth, month, monthYear] = [
    { day: "numeric", month: "short" }, { month: "short" }, { month: "short", year: "numeric" },
  ].map(Charts.dates);
  const { first, last, origin } = data;
  figure.querySelectorAll("[data-drawn-with]").forEach((element) => { element.hidden = false; });

  const boxOf = (group) => figure.querySelector(`input[data-series="${group}"]`);
  const labelOf = (group) => boxOf(group)?.closest("label").textContent.trim().replace(/\s+/g, " ") || group;
  const view = {
    data, words, labelOf, dayMonth, step: source.step || "day", bands: [BANDS[1], BANDS[2], BANDS[0]],
    shown: { promo: true, closed: true, b95: false }, hover: null, drag: null,
  };

  // --- lines and ranges -----------------------------------------------------------------------------
  const line = (name, tone, extra) => ({
    name, group: name, key: name, tone, data: [], borderWidth: 1.6, pointRadius: 0, pointHoverRadius: 0, tension: 0, ...extra,
  });
  const edge = (group, part, end, extra) => ({
    ...line(`${group}${part}-${end}`, "accent", { group, borderWidth: 0, isEdge: true, ...extra }), key: null,
  });
  const datasets = [
    ...BANDS.flatMap(([group, low, high]) => [false, true].flatMap((isFar) => [
      edge(group, isFar ? "-untested" : "", "low", { end: low, isFar }),
      edge(group, isFar ? "-untested" : "", "high", { end: high, isFar, fill: "-1" }),
    ])),
    line("sales", "sales", { insideName: () => labelOf("sales"), insideAt: "start" }),
    line("sold", "sales", { group: "sales", key: "sales", borderWidth: 2.2, insideName: () => words.sold, insideAt: "end" }),
    line("test", "test", { key: "test", borderDash: [5, 3], borderWidth: 2 }),
    line("forecast", "accent", { key: "mean", borderWidth: 2.4, endName: true }),
    ...data.others.map((group) => line(group, group, { borderWidth: 2, borderDash: [8, 3], endName: true })),
    line("lastYear", "soft", { borderWidth: 1, borderDash: [2, 2], endName: true }),
  ];
  // Ranges of days that no test reached are hatched.
  const hatch = (tone, alpha) => {
    const tile = Object.assign(document.createElement("canvas"), { width: 7, height: 7 });
    const pen = tile.getContext("2d");
    pen.fillStyle = Charts.faded(tone, alpha * 0.4);
    pen.fillRect(0, 0, 7, 7);
    pen.strokeStyle = Charts.faded(tone, Math.min(1, alpha * 2));
    pen.beginPath();
    for (const shift of [-7, 0, 7]) { pen.moveTo(shift, 7); pen.lineTo(shift + 7, 0); }
    pen.stroke();
    return pen.createPattern(tile, "repeat");
  };
  const paint = () => {
    for (const set of datasets) {
      const tone = Charts.colour(set.tone);
      set.borderColor = set.isEdge ? "transparent" : tone;
      set.backgroundColor = !set.isEdge ? tone : set.isFar ? hatch(tone, ALPHAS[set.group]) : Charts.faded(tone, ALPHAS[set.group]);
    }
    if (!chart) return;
    for (const scale of Object.values(chart.options.scales)) {
      scale.grid.color = Charts.colour("line");
      scale.ticks.color = Charts.colour("soft");
    }
  };
  const fillLines = () => {
    const records = data.steps[view.step];
    const ahead = records.filter((record) => record.ahead);
    const border = ahead.filter((record) => !record.isUntested && !record.closed).at(-1); // both parts of a range meet here
    for (const set of datasets) {
      if (set.isEdge) set.data = points(ahead, set.end, (record) => (set.isFar ? record.isUntested || record === border : !record.isUntested));
      else set.data = points(records, set.key, (record) => set.key !== "sales" || Boolean(record.ahead) === (set.name === "sold"));
      if (set.isFar && set.data.length < 2) set.data = [];
    }
    const far = datasets.some((set) => set.isFar && set.data.length);
    for (const set of datasets) if (set.group === "b80" && set.fill) set.endName = set.isFar === far;
  };

  // --- axis of days -----------------------------------------------------------------------------------
  const isLong = (scale) => scale.max - scale.min > MONTH_TICKS;
  const ticks = (scale) => {
    const found = [];
    if (isLong(scale)) { // month starts
      const at = toDate(Math.ceil(scale.min));
      at.setUTCDate(1);
      for (; at.getTime() / 86400000 <= scale.max; at.setUTCMonth(at.getUTCMonth() + 1)) {
        if (at.getTime() / 86400000 >= scale.min) found.push({ value: at.getTime() / 86400000 });
      }
    } else { // Mondays
      for (let value = Math.ceil(scale.min); value <= scale.max; value += 1) if ((value + 3) % 7 === 0) found.push({ value });
    }
    const step = Math.max(1, Math.ceil(found.length / Math.max(2, Math.floor(scale.width / 64))));
    scale.ticks = found.filter((_tick, index) => index % step === 0);
  };
  const tickWord = function (value, index) {
    const date = toDate(value);
    if (!isLong(this)) return dayMonth.format(date);
    return (index === 0 || date.getUTCMonth() === 0 ? monthYear : month).format(date);
  };

  const isNarrow = figure.clientWidth < 480;
  const start = isNarrow && view.step === "day" && Number(words.days) > 56 ? "28" : words.days; // days shown at first
  let chart = null;
  const marks = Charts.forecastMarks(view);
  paint();
  fillLines();
  chart = new Chart(canvas, {
    type: "line",
    data: { datasets },
    plugins: [marks],
    options: {
      animation: false,
      parsing: false,
      normalized: true,
      maintainAspectRatio: false,
      events: [],
      layout: { padding: { top: 26, right: 8 } },
      scales: {
        x: { type: "linear", min: first, max: last, afterBuildTicks: ticks, grid: { color: Charts.colour("line") },
          ticks: { color: Charts.colour("soft"), callback: tickWord, maxRotation: 0, autoSkip: false } },
        y: { ...Charts.axis(""), grace: data.promotions.length ? "14%" : "4%" }, // room for their names
      },
      plugins: { legend: { display: false }, tooltip: { enabled: false }, filler: { drawTime: "beforeDatasetsDraw" } },
    },
  });
  const update = () => {
    chart.options.layout.padding.right = marks.room(chart);
    chart.update("none");
  };
  const press = (name, value) => figure.querySelectorAll(`button[data-${name}]`).forEach((button) => {
    button.setAttribute("aria-pressed", String(button.dataset[name] === value));
  });
  const zoomTo = (min, max) => {
    Object.assign(chart.options.scales.x, { min, max });
    update();
  };
  const showDays = (text) => {
    zoomTo(text === "all" ? first : Math.max(first, origin - Number(text) + 1), last);
    press("days", text);
  };
  const showStep = (step) => {
    view.step = step;
    fillLines();
    leave();
    update();
    press("step", step);
    Charts.mark(canvas, chart);
  };

  // --- the day under pointer or keyboard ----------------------------------------------------------------
  const tell = Charts.forecastWords(figure, view);
  signal.addEventListener("abort", tell.remove);
  const leave = () => {
    view.hover = null;
    tell.hide();
    chart.draw();
  };
  const look = (record) => {
    view.hover = record;
    chart.draw();
    tell.show(record, chart);
  };
  const nearest = (x) => data.steps[view.step].reduce((best, record) => (
    Math.abs(record.x - x) < Math.abs(best.x - x) ? record : best));
  const read = (index) => {
    const records = data.steps[view.step];
    const record = records[Math.min(Math.max(index, 0), records.length - 1)];
    const { min, max } = chart.scales.x;
    if (record.x < min) zoomTo(Math.max(first, record.from), Math.min(last, max - (min - record.from)));
    else if (record.x > max) zoomTo(Math.max(first, min + (record.to - max)), Math.min(last, record.to));
    look(record);
    readout.textContent = tell.sentence(record);
  };

  // --- hands ----------------------------------------------------------------------------------------------
  const listen = (target, type, action) => target.addEventListener(type, action, { signal });
  const showSeries = (box) => {
    const name = box.dataset.series;
    if (name in view.shown) view.shown[name] = box.checked;
    datasets.forEach((set, index) => { if (set.group === name) chart.setDatasetVisibility(index, box.checked); });
  };
  figure.querySelectorAll("input[data-series]").forEach((box) => {
    const has = { promo: data.promotions.length, closed: data.closed.length };
    const name = box.dataset.series;
    box.closest("label").hidden = !(has[name] ?? datasets.some((set) => set.group === name && set.data.length));
    showSeries(box);
    listen(box, "change", () => { showSeries(box); update(); });
  });
  figure.querySelectorAll("button[data-days]").forEach((button) => listen(button, "click", () => showDays(button.dataset.days)));
  figure.querySelectorAll("button[data-step]").forEach((button) => listen(button, "click", () => showStep(button.dataset.step)));

  listen(canvas, "keydown", (event) => {
    const records = data.steps[view.step];
    const start = view.hover || nearest(origin);
    const at = records.indexOf(start);
    const { min, max } = chart.scales.x;
    const far = view.step === "week" ? 4 : 7;
    const moves = {
      ArrowLeft: at - 1, ArrowRight: at + 1, PageUp: at - far, PageDown: at + far,
      Home: records.findIndex((record) => record.x >= min), End: records.findLastIndex((record) => record.x <= max),
    };
    if (event.key === "Escape") leave();
    if (!(event.key in moves)) return;
    event.preventDefault();
    read(moves[event.key]);
  });
  listen(canvas, "blur", leave);

  const across = (event) => Math.min(Math.max(event.offsetX, chart.chartArea.left), chart.chartArea.right);
  const isTouch = (event) => event.pointerType === "touch";
  const follow = (event) => {
    const record = nearest(chart.scales.x.getValueForPixel(across(event)));
    if (record !== view.hover) look(record);
  };
  listen(canvas, "pointerdown", (event) => {
    if (isTouch(event)) follow(event);
    else if (event.button === 0) view.drag = { from: across(event), to: across(event) };
  });
  listen(canvas, "pointermove", (event) => {
    if (!view.drag) return follow(event);
    view.drag.to = across(event);
    return leave();
  });
  listen(canvas, "pointerleave", (event) => { if (!isTouch(event)) leave(); }); // a lifted finger leaves the table open
  listen(document, "pointerdown", (event) => { if (view.hover && event.target !== canvas) leave(); });
  listen(window, "pointerup", () => {
    if (!view.drag) return;
    const [a, b] = [view.drag.from, view.drag.to].sort((x, y) => x - y).map((x) => chart.scales.x.getValueForPixel(x));
    const wide = Math.abs(view.drag.to - view.drag.from) > 12;
    view.drag = null;
    if (wide && b - a >= 2) {
      zoomTo(Math.max(first, Math.round(a)), Math.min(last, Math.round(b)));
      press("days", "");
    } else chart.draw();
  });
  listen(canvas, "dblclick", () => showDays(start));

  listen(document, "click", (event) => {
    const button = event.target.closest?.("[data-picture]");
    if (!button) return;
    leave();
    const whole = { from: Math.max(first, origin - 27), to: last };
    Charts.savePicture(chart, { figure, alphas: ALPHAS, labelOf, paint, update, whole }, button.dataset.picture);
  });

  press("step", view.step);
  showDays(start);
  Charts.mark(canvas, chart);
  return chart;
});
