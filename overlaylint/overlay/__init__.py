"""The Portage model: repositories, packages, ebuilds, profiles and the files beside them."""
