"""Series to forecast: drawn with a known truth, real ones, and a reader's own."""
