// Runs before the first paint, so that a chosen theme does not flash. The policy of the page forbids inline scripts.
{
  const chosen = localStorage.getItem("faultline-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
}
