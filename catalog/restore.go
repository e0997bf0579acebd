package catalog

// Restore puts a definition into effect in a catalog that is being made from files, before any journal has it. Snapshot then gives its
// records.
func (c *Catalog) Restore(definition Stream) error {
	if err := definition.Validate(); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.streams[definition.Name] = &definition
	return nil
}

// SkipGenerations keeps generations up to the given one from being given to views. It is for a catalog that is being made from files.
func (c *Catalog) SkipGenerations(last uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.mu.lastGeneration = max(c.mu.lastGeneration, last)
}
