"use strict";
// The learning curve: reads the list of points below it and grows with that list.
Charts.register("learning", (figure, signal) => {
  const words = figure.dataset;
  const list = document.getElementById(words.source);
  const canvas = figure.querySelector("canvas");
  const line = (name, tone, extra) => (
    Charts.line(name, words[name], Charts.colour(tone), { data: [], spanGaps: true, ...extra }));
  const train = line("train", "accent");
  const check = line("check", "test", { borderDash: [6, 4] });
  const refit = line("refit", "sales");

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

  let read = 0;
  const grow = () => {
    const points = [...list.querySelectorAll("li")];
    for (const point of points.slice(read)) {
      read += 1;
      const fit = point.dataset.step === "refit" ? refit : train;
      if (point.dataset.train) fit.data.push({ x: read, y: Number(point.dataset.train) });
      if (point.dataset.check) check.data.push({ x: read, y: Number(point.dataset.check) });
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
