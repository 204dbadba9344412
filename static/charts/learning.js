"use strict";
// The learning curve: reads the list of points below it and grows with that list. One method is drawn by its
// training and validation error; of several, each gets one line in its colour, by its own rounds.
Charts.register("learning", (figure, signal) => {
  const words = figure.dataset;
  const list = document.getElementById(words.source);
  const canvas = figure.querySelector("canvas");
  const line = (name, label, tone, extra) => (
    Charts.line(name, label, Charts.colour(tone), { data: [], spanGaps: true, ...extra }));
  const train = line("train", words.train, "accent");
  const check = line("check", words.check, "test", { borderDash: [6, 4] });
  const refit = line("refit", words.refit, "sales");
  const methods = new Map(); // colour -> line

  const chart = new Chart(canvas, {
    type: "line",
    data: { datasets: [train, check, refit] },
    options: Charts.lineOptions({
      x: Charts.countAxis(words.round, { min: 1 }),
      y: Charts.percentAxis({ beginAtZero: false }),
      mode: "index",
      inLegend: (item, data) => data.datasets[item.datasetIndex].data.length > 0,
      title: () => "",
    }),
  });

  const lineOf = ({ tone, label }) => {
    if (!methods.has(tone)) {
      methods.set(tone, line(tone, label, tone));
      chart.data.datasets.push(methods.get(tone));
      chart.options.interaction.mode = "nearest";
    }
    return methods.get(tone);
  };
  const addOfMethod = (point) => {
    if (point.step === "refit" || !point.check) return; // of other days: no part of the same line
    const { data } = lineOf(point);
    data.push({ x: data.length + 1, y: Number(point.check) });
  };

  let read = 0;
  const grow = () => {
    const points = [...list.querySelectorAll("li")];
    for (const { dataset: point } of points.slice(read)) {
      read += 1;
      if (point.tone) {
        addOfMethod(point);
        continue;
      }
      const fit = point.step === "refit" ? refit : train;
      if (point.train) fit.data.push({ x: read, y: Number(point.train) });
      if (point.check) check.data.push({ x: read, y: Number(point.check) });
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
