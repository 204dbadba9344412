"use strict";
// What stands on a forecast's chart beside its lines: promotions, closed days, the last known day and today,
// names at the ends of the lines, the day under the pointer. `view` is the chart's state; see forecast.js.
Charts.forecastMarks = (view) => {
  const { data, words } = view;
  const FONT = `12px ${Chart.defaults.font.family}`;
  const LINE = 14; // pixels from one name to the next
  const MIN_TICK = 2.5; // pixels a day, below which closed days would be a smear

  const write = (pen, text, x, y, tone) => { // readable on any line
    pen.lineJoin = "round";
    pen.lineWidth = 3;
    pen.strokeStyle = Charts.colour("card");
    pen.strokeText(text, x, y);
    pen.fillStyle = Charts.colour(tone);
    pen.fillText(text, x, y);
  };
  const widthOf = (pen, text) => { pen.font = FONT; return pen.measureText(text).width; };

  const drawPromotions = (chart) => {
    const { ctx: pen, chartArea: { left, right, top, bottom }, scales: { x: axis } } = chart;
    const tone = Charts.colour("promo");
    let free = left; // where the next label may begin
    let isNamed = false; // "promotion" stands once, names of events wherever they fit
    for (const [from, to, name] of data.promotions) {
      const a = Math.max(left, axis.getPixelForValue(from - 0.5));
      const b = Math.min(right, axis.getPixelForValue(to + 0.5));
      if (b <= a) continue;
      pen.fillStyle = Charts.faded(tone, 0.12);
      pen.fillRect(a, top, Math.max(1, b - a), bottom - top);
      pen.fillStyle = Charts.faded(tone, 0.7);
      pen.fillRect(a, top, Math.max(1, b - a), 2);
      if (!name && isNamed) continue;
      const text = name || words.sayPromo;
      const width = widthOf(pen, text);
      const start = Math.min(Math.max(left + 2, (a + b - width) / 2), right - width - 2);
      if (start < free) continue;
      write(pen, text, start, top + 14, "text");
      free = start + width + 6;
      isNamed ||= !name;
    }
  };

  const drawClosed = (chart) => {
    const { ctx: pen, chartArea: { left, right, bottom }, scales: { x: axis } } = chart;
    const wide = axis.getPixelForValue(1) - axis.getPixelForValue(0);
    if (wide < MIN_TICK) return;
    pen.fillStyle = Charts.colour("closed");
    for (const day of data.closed) {
      const x = axis.getPixelForValue(day);
      if (x >= left && x <= right) pen.fillRect(x - 1, bottom - 6, 2, 6);
    }
  };

  // The first of the texts, on the first of the sides, that leaves every other label readable.
  const place = (chart, pen, at, texts, sides, taken) => {
    for (const text of texts) {
      for (const side of sides) {
        const width = widthOf(pen, text);
        const start = side === "left" ? at - 5 - width : at + 5;
        if (start < 0 || start + width > chart.width) continue;
        if (taken.some(([a, b]) => start < b + 6 && start + width + 6 > a)) continue;
        taken.push([start, start + width]);
        return [text, start];
      }
    }
    return null;
  };

  const drawDays = (chart) => {
    const { ctx: pen, chartArea: { left, right, top, bottom }, scales: { x: axis } } = chart;
    const unit = words[view.step === "week" ? "unitWeek" : "unitDay"];
    const taken = [[0, widthOf(pen, unit)]];
    write(pen, unit, 0, top - 12, "soft");
    const known = Charts.forecastData.toDate(data.origin);
    const date = view.dayMonth.format(known);
    const marked = [[data.origin + 0.5, [words.sayKnown.replace("{date}", date), date], ["left", "right"], [4, 4]]];
    if (data.today > data.origin && data.today <= data.last) {
      marked.push([data.today, [words.sayToday], ["right", "left"], [1, 3]]);
    }
    for (const [day, texts, sides, dash] of marked) {
      const x = axis.getPixelForValue(day);
      if (x < left || x > right) continue;
      pen.strokeStyle = Charts.colour("soft");
      pen.lineWidth = 1;
      pen.setLineDash(dash);
      pen.beginPath();
      pen.moveTo(x, top - 6);
      pen.lineTo(x, bottom);
      pen.stroke();
      pen.setLineDash([]);
      const found = place(chart, pen, x, texts, sides, taken);
      if (found) write(pen, found[0], found[1], top - 12, "soft");
    }
  };

  // --- names of the lines ---------------------------------------------------------------------------
  const lastPoint = (set) => set.data[set.data.length - 1];
  const isShown = (chart, index) => chart.isDatasetVisible(index) && chart.data.datasets[index].data.length > 0;
  const endNames = (chart) => chart.data.datasets.flatMap((set, index) => (
    set.endName && isShown(chart, index) ? [{ set, text: view.labelOf(set.group) }] : []));

  // Room to the right of the lines for their names: pixels.
  const room = (chart) => {
    const most = chart.width < 520 ? 72 : 130;
    const widths = endNames(chart).map(({ text }) => widthOf(chart.ctx, text));
    return widths.length ? Math.min(most, Math.max(...widths) + 10) : 8;
  };

  const drawEnds = (chart) => {
    const { ctx: pen, chartArea: { right, top, bottom }, scales: { x: axis, y: scale } } = chart;
    const names = endNames(chart).flatMap(({ set, text }) => {
      const { x, y } = lastPoint(set);
      const seen = axis.getPixelForValue(x);
      return seen > right - 30 && seen <= right + 1 ? [{ text, tone: set.tone, y: scale.getPixelForValue(y) }] : [];
    }).sort((a, b) => a.y - b.y);
    names.forEach((name, index) => { if (index) name.y = Math.max(name.y, names[index - 1].y + LINE); });
    let floor = bottom;
    for (const name of [...names].reverse()) {
      name.y = Math.max(top + 4, Math.min(name.y, floor));
      floor = name.y - LINE;
    }
    pen.font = FONT;
    for (const { text, tone, y } of names) {
      pen.fillStyle = Charts.colour(tone);
      pen.fillText(text, right + 6, y + 4, chart.width - right - 8);
    }
  };

  // The highest place of a line between two pixels across, also between its points.
  const highest = (spots, from, to) => Math.min(...spots.flatMap(([x, y], index) => {
    const [next, level] = spots[index + 1] || [x, y];
    if (next < from || x > to) return [];
    const at = (pixel) => y + (level - y) * Math.min(1, Math.max(0, (pixel - x) / (next - x || 1)));
    return [at(from), at(to)];
  }));

  // Names of lines that end inside the chart, at the start or end of what is seen of them.
  const drawInside = (chart) => {
    const { ctx: pen, chartArea: { left, right, top }, scales: { x: axis, y: scale } } = chart;
    chart.data.datasets.forEach((set, index) => {
      if (!set.insideName || !isShown(chart, index)) return;
      const seen = set.data.filter((point) => point.x >= axis.min && point.x <= axis.max && !Number.isNaN(point.y));
      if (seen.length < 2) return;
      const text = set.insideName();
      const width = widthOf(pen, text);
      const start = set.insideAt === "end" ? axis.getPixelForValue(seen[seen.length - 1].x) - width / 2
        : axis.getPixelForValue(seen[0].x) + 4;
      const x = Math.min(Math.max(left + 2, start), right - width - 2);
      const spots = seen.map((point) => [axis.getPixelForValue(point.x), scale.getPixelForValue(point.y)]);
      write(pen, text, x, Math.max(top + 28, highest(spots, x - 8, x + width + 8) - 8), set.tone);
    });
  };

  const drawDots = (chart) => { // a week is one point
    const { ctx: pen, chartArea: { left, right }, scales: { x: axis, y: scale } } = chart;
    chart.data.datasets.forEach((set, index) => {
      if (!set.key || set.key === "lastYear" || !isShown(chart, index)) return;
      pen.fillStyle = Charts.colour(set.tone);
      for (const point of set.data) {
        const x = axis.getPixelForValue(point.x);
        if (x < left || x > right) continue;
        pen.beginPath();
        pen.arc(x, scale.getPixelForValue(point.y), 2.5, 0, 2 * Math.PI);
        pen.fill();
      }
    });
  };

  const drawHover = (chart) => {
    if (!view.hover) return;
    const { ctx: pen, chartArea: { top, bottom }, scales: { x: axis, y: scale } } = chart;
    const x = axis.getPixelForValue(view.hover.x);
    pen.strokeStyle = Charts.colour("soft");
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(x, top);
    pen.lineTo(x, bottom);
    pen.stroke();
    chart.data.datasets.forEach((set, index) => {
      const y = set.key && isShown(chart, index) ? view.hover[set.key] : null;
      if (!Charts.forecastData.isKnown(y) || (view.hover.closed && !y)) return;
      pen.fillStyle = Charts.colour(set.tone);
      pen.strokeStyle = Charts.colour("card");
      pen.beginPath();
      pen.arc(x, scale.getPixelForValue(y), 4, 0, 2 * Math.PI);
      pen.fill();
      pen.stroke();
    });
  };

  const kept = (draw) => (chart) => { // the pen as it was
    chart.ctx.save();
    chart.ctx.font = FONT;
    chart.ctx.textAlign = "left";
    chart.ctx.textBaseline = "alphabetic";
    draw(chart);
    chart.ctx.restore();
  };

  return {
    id: "marks",
    room,
    beforeDatasetsDraw: kept((chart) => {
      if (view.shown.promo) drawPromotions(chart);
      if (view.shown.closed) drawClosed(chart);
      drawDays(chart);
    }),
    afterDatasetsDraw: kept((chart) => {
      if (view.step === "week") drawDots(chart);
      drawInside(chart);
      drawEnds(chart);
      drawHover(chart);
    }),
    afterDraw: kept((chart) => {
      if (!view.drag) return;
      const { ctx, chartArea: { top, bottom } } = chart;
      ctx.fillStyle = Charts.faded(Charts.colour("link"), 0.2);
      ctx.fillRect(Math.min(view.drag.from, view.drag.to), top, Math.abs(view.drag.to - view.drag.from), bottom - top);
    }),
  };
};
