"""How fast is Dauys, beside the least that anyone would need for the same? Run `python -m bench` (docs/bench.md)."""
