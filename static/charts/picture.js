"use strict";
// A forecast chart as a picture for letters and slides: always light, with its title and the lines shown.
{
  const WIDTH = 1400, HEIGHT = 700, HEAD = 110; // pixels; the head holds title and legend
  const TONES = { sales: "sales", test: "test", forecast: "accent", other1: "other1", other2: "other2" };

  const recolour = (chart, alphas) => {
    for (const set of chart.data.datasets) {
      const tone = Charts.colour(TONES[set.group] || "accent");
      if (set.name === set.group) set.borderColor = set.backgroundColor = tone;
      else if (set.fill) set.backgroundColor = Charts.faded(tone, alphas[set.group]);
    }
    for (const scale of Object.values(chart.options.scales)) {
      scale.grid.color = Charts.colour("line");
      scale.ticks.color = Charts.colour("soft");
      if (scale.title) scale.title.color = Charts.colour("soft");
    }
  };

  const drawHead = (pen, { figure, alphas, labelOf }) => {
    pen.fillStyle = Charts.colour("text");
    pen.font = `700 26px ${Chart.defaults.font.family}`;
    pen.fillText(figure.dataset.title, 24, 44, WIDTH - 48);
    pen.font = `18px ${Chart.defaults.font.family}`;
    let x = 24;
    figure.querySelectorAll("[data-series]:checked").forEach((box) => {
      if (box.closest("label").hidden) return;
      const name = box.dataset.series;
      const text = labelOf(name);
      const band = name in alphas;
      pen.fillStyle = band ? Charts.faded(Charts.colour("accent"), alphas[name] * 2) : Charts.colour(TONES[name] || name);
      pen.fillRect(x, 72, 26, 14);
      pen.fillStyle = Charts.colour("text");
      pen.fillText(text, x + 34, 86);
      x += 34 + pen.measureText(text).width + 28;
    });
  };

  // Draws the chart large and light onto a canvas of its own, then puts it back as it was.
  const drawPicture = (chart, parts) => {
    const picture = document.createElement("canvas");
    Object.assign(picture, { width: WIDTH, height: HEIGHT + HEAD });
    const pen = picture.getContext("2d");
    const size = [chart.width, chart.height];
    const ratio = chart.currentDevicePixelRatio;
    Charts.light(() => {
      chart.setActiveElements([]);
      chart.tooltip.setActiveElements([], { x: 0, y: 0 });
      recolour(chart, parts.alphas);
      chart.options.devicePixelRatio = 1;
      chart.resize(WIDTH - 40, HEIGHT - 20);
      chart.update("none");
      pen.fillStyle = Charts.colour("card");
      pen.fillRect(0, 0, picture.width, picture.height);
      pen.drawImage(chart.canvas, 20, HEAD);
      drawHead(pen, parts);
    });
    recolour(chart, parts.alphas);
    chart.options.devicePixelRatio = ratio;
    chart.resize(...size);
    chart.update("none");
    return picture;
  };

  // `parts`: the figure, the opacity of each band by name, and a function from a series to its label.
  Charts.savePicture = (chart, parts, name) => {
    drawPicture(chart, parts).toBlob((blob) => {
      const link = document.createElement("a");
      link.href = URL.createObjectURL(blob);
      link.download = `${name.replace(/[^\p{L}\p{N}._-]+/gu, "_")}.png`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    }, "image/png");
  };
}
