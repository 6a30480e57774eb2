"""Tsunagi (繋ぎ): the exchange through which a supported person is handed over without letting go."""
