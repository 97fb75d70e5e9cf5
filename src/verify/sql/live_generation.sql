select generation from query.generation where state = 'live'
