// The few things that pages need beyond links and forms: charts, the panel at the side, and asking before a verb.
(() => {
  "use strict";

  const PALETTE = ["#0d9488", "#6366f1", "#f59e0b", "#ec4899", "#3b82f6", "#84cc16", "#a855f7", "#ef4444", "#14b8a6", "#78716c"];
  const drawn = [];
  htmx.config.includeIndicatorStyles = false; // its style element would be against our Content-Security-Policy

  function colour(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  // A Chart.js chart out of {kind, stacked, unit, labels, series: [{label, values}]}.
  function draw(canvas) {
    const source = document.getElementById(canvas.dataset.chart);
    if (!source) return;
    const facts = JSON.parse(source.textContent);
    const money = facts.unit
      ? new Intl.NumberFormat("en", { style: "currency", currency: facts.unit, maximumFractionDigits: 0 })
      : new Intl.NumberFormat("en");
    const datasets = facts.series.map((one, at) => ({
      label: one.label,
      data: one.values.map(Number),
      backgroundColor: PALETTE[at % PALETTE.length] + (one.axis === "right" ? "55" : ""),
      order: one.axis === "right" ? 2 : 1,
      borderColor: PALETTE[at % PALETTE.length],
      borderWidth: (one.kind || facts.kind) === "line" ? 2 : 0,
      pointRadius: 0,
      tension: 0.25,
      yAxisID: one.axis || "y",
      type: one.kind || facts.kind,
    }));
    const ink = colour("--fm-soft");
    const line = colour("--fm-line");
    const scale = { stacked: Boolean(facts.stacked), ticks: { color: ink, maxTicksLimit: 10 }, grid: { color: line }, border: { display: false } };
    const scales = {
      x: { ...scale, grid: { display: false } },
      y: { ...scale, beginAtZero: true, ticks: { color: ink, maxTicksLimit: 6, callback: (value) => money.format(value) } },
    };
    if (facts.series.some((one) => one.axis === "right")) {
      scales.right = { position: "right", beginAtZero: true, grid: { display: false }, border: { display: false }, ticks: { color: ink, maxTicksLimit: 6, precision: 0 } };
    }
    const label = (item) => `${item.dataset.label}: ${(item.dataset.yAxisID === "right" ? new Intl.NumberFormat("en") : money).format(item.parsed.y)}`;
    drawn.push(new Chart(canvas, {
      type: facts.kind,
      data: { labels: facts.labels, datasets },
      options: {
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        interaction: { mode: "index", intersect: false },
        scales,
        plugins: {
          legend: { display: datasets.length > 1, position: "bottom", labels: { color: ink, boxWidth: 10, boxHeight: 10 } },
          tooltip: { callbacks: { label } },
        },
      },
    }));
  }

  function drawAll() {
    drawn.splice(0).forEach((chart) => chart.destroy());
    document.querySelectorAll("canvas[data-chart]").forEach(draw);
  }

  function panel() {
    return document.getElementById("fm-panel");
  }

  document.addEventListener("DOMContentLoaded", () => {
    drawAll();
    // The theme is a class on <html>; charts take their colours when they are drawn.
    document.addEventListener("fm-live:replaced", drawAll);
    new MutationObserver(drawAll).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });

    const side = panel();
    if (side) {
      document.body.addEventListener("htmx:afterSwap", (event) => {
        if (event.detail.target.id === "fm-panel-body" && !side.open) side.showModal();
      });
      side.addEventListener("click", (event) => { if (event.target === side) side.close(); });
      side.addEventListener("close", () => {
        document.querySelectorAll(".fm-cell[aria-expanded=true]").forEach((cell) => cell.setAttribute("aria-expanded", "false"));
      });
    }
  });

  document.addEventListener("click", (event) => {
    const cell = event.target.closest(".fm-cell");
    if (cell) cell.setAttribute("aria-expanded", "true");
  });

  document.addEventListener("submit", (event) => {
    const question = (event.submitter && event.submitter.dataset.confirm) || event.target.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
  });
})();
