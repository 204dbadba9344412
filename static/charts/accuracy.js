"use strict";
// The error by week beside that of repeating last week, with a mark where another model began.
Charts.register("accuracy", (figure) => {
  const words = figure.dataset;
  const { weeks, wape, naive, bias, marks } = JSON.parse(document.getElementById(words.source).textContent);
  const canvas = figure.querySelector("canvas");
  const { format } = Charts.dates({ day: "numeric", month: "short" });
  const title = (place) => (weeks[place] ? format(new Date(weeks[place])) : "");
  const toPoints = (values) => (
    values.map((y, x) => ({ x, y })).filter((point) => typeof point.y === "number"));
  const line = (name, values, tone, extra) => (
    Charts.line(name, words[name], Charts.colour(tone), { data: toPoints(values), ...extra }));
  const marked = marks.map((mark) => ({ x: weeks.indexOf(mark.week), text: mark.text }))
    .filter((mark) => typeof wape[mark.x] === "number")
    .map((mark) => ({ ...mark, y: wape[mark.x] }));
  const chart = new Chart(canvas, {
    type: "line",
    data: {
      datasets: [
        line("wape", wape, "accent"),
        line("naive", naive, "sales", { borderDash: [6, 4] }),
        line("bias", bias, "other1", { borderDash: [2, 3] }),
        Charts.line("marks", words.marks, Charts.colour("test"), {
          data: marked, showLine: false, pointStyle: "triangle", pointRadius: 7,
        }),
      ].filter((set) => set.data.length),
    },
    options: Charts.lineOptions({
      x: Charts.countAxis("", {
        min: 0, max: Math.max(1, weeks.length - 1),
        ticks: { color: Charts.colour("soft"), precision: 0, callback: title },
      }),
      y: Charts.percentAxis(),
      mode: "x",
      title: (items) => (items.length ? items[0].raw.text || title(items[0].parsed.x) : ""),
    }),
  });
  Charts.mark(canvas, chart);
  return chart;
});
