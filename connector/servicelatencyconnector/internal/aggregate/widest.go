package aggregate

// Widest returns the attribute of an owner's series that takes the most values
// within one metric: what to blame when the owner has reached its limit. It
// belongs to the flusher's goroutine.
func (f *Flusher) Widest(o *Owner) (metric, attribute string, values int) {
	for _, family := range o.metrics {
		distinct := map[string]map[string]struct{}{}
		for _, series := range family.series {
			for name, v := range series.Attributes() {
				if distinct[name] == nil {
					distinct[name] = map[string]struct{}{}
				}
				distinct[name][string(AppendValue(nil, v))] = struct{}{}
			}
		}
		for name, seen := range distinct {
			if len(seen) > values || len(seen) == values && name < attribute {
				metric, attribute, values = family.metric.Name, name, len(seen)
			}
		}
	}
	return metric, attribute, values
}
