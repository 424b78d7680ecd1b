"""Moving pixels along a flow."""
